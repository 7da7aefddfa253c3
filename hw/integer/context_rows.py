"""Adds the context of rows up over groups, and holds it."""

from amaranth.hdl import Module, Mux, Signal, signed
from amaranth.lib import data, stream, wiring
from amaranth.lib.fifo import SyncFIFOBuffered
from amaranth.lib.memory import Memory
from amaranth.lib.wiring import In, Out

from golden.widths import index_width
from hw.integer import payloads
from hw.integer.product import delayed, delayed_tags
from hw.integer.vector_config import VectorConfig
from hw.parts.memory import BLOCK, NO_COLLISION


def value_beat(config: VectorConfig) -> data.StructLayout:
    return data.StructLayout({"value": signed(config.context_width), "last": 1})


class ContextRows(wiring.Component):
    """Context values in order; room for them is granted by the weight sequencer.

    Members:
        sum, tags: from the vector unit.
        feature: of the sum.
        norm: sum of the squares of the values of that feature, one cycle later, with
            `IntegerConfig.squares`.
        i_squares: of each row the sum of the squares of its weights, likewise.
        o: context values.

    Timing: a sum in cycle n is written `latency` cycles later and leaves three after that.
    """

    def __init__(self, config: VectorConfig, sums: int) -> None:
        self._config = config
        members = {
            "sum": In(sums),
            "tags": In(payloads.context_tags()),
            "feature": Out(index_width(config.head_dim)),
            "o": Out(stream.Signature(value_beat(config))),
        }
        if config.squares:
            norm = (config.tokens * ((1 << config.bits - 1) - 1) ** 2).bit_length()
            squares = (config.tokens * ((1 << config.bits) - 1) ** 2).bit_length()
            members |= {"norm": In(norm), "i_squares": In(stream.Signature(squares))}
        super().__init__(members)

    @staticmethod
    def latency(config: VectorConfig) -> int:
        return 1 + 2 * config.squares + 2 * (config.groups > 1)

    def elaborate(self, platform: object) -> Module:
        m = Module()
        config = self._config
        with m.If(self.tags.valid):
            m.d.sync += self.feature.eq(Mux(self.tags.last, 0, self.feature + 1))
        # twice the context of all groups, if made of squares
        width = config.context_width + config.squares
        value = delayed(m, self.sum, 1, "sum")
        tags = delayed_tags(m, self.tags, 1, "tags")
        before = self.feature
        if config.squares:
            wide = signed(max(len(self.sum), len(self.norm), len(self.i_squares.payload)) + 2)
            less_norm, less_both = (
                Signal(wide, name=f"less_{name}", reset_less=True) for name in ("norm", "both")
            )
            m.d.sync += less_norm.eq(value - Mux(tags.final, self.norm, 0))
            tags = delayed_tags(m, tags, 1, "tags_norm")
            m.d.sync += less_both.eq(less_norm - Mux(tags.final, self.i_squares.payload, 0))
            m.d.comb += self.i_squares.ready.eq(tags.valid & tags.final & tags.last)
            tags = delayed_tags(m, tags, 1, "tags_both")
            before = delayed(m, before, 2, "feature")
            value, width = less_both, len(less_both)
        if config.groups > 1:
            value, tags = self._add_groups(m, value, tags, before, width)
        m.submodules.queue = queue = SyncFIFOBuffered(
            width=value_beat(config).size, depth=payloads.CONTEXT_ROWS * config.head_dim
        )
        beat = Signal(value_beat(config))
        # block RAM answers late in a cycle: what is decided by a value reads it from a register
        oldest = Signal(value_beat(config), reset_less=True)
        held = Signal()
        m.d.comb += [
            beat.value.eq(value >> 1 if config.squares else value),
            beat.last.eq(tags.last),
            queue.w_data.eq(beat),
            queue.w_en.eq(tags.valid & tags.final),
            queue.r_en.eq(~held | self.o.ready),
            self.o.valid.eq(held),
            self.o.payload.eq(oldest),
        ]
        with m.If(queue.r_en):
            m.d.sync += [held.eq(queue.r_rdy), oldest.eq(queue.r_data)]
        return m

    def _add_groups(
        self, m: Module, value: Signal, tags: data.View, before: Signal, width: int
    ) -> tuple[Signal, data.View]:
        """The sum over the groups so far is read while the next one comes; `before` is a cycle ahead."""
        width += (self._config.groups - 1).bit_length() * self._config.squares
        m.submodules.sums = sums = Memory(
            shape=signed(width), depth=1 << len(before), init=[], attrs=BLOCK | NO_COLLISION
        )
        read, write = sums.read_port(), sums.write_port()
        earlier, total = (Signal(signed(width), name=name, reset_less=True) for name in ("earlier", "total"))
        m.d.comb += [
            read.addr.eq(before),
            write.addr.eq(delayed(m, before, 3, "written")),
            write.data.eq(total),
        ]
        m.d.sync += [
            earlier.eq(Mux(tags.first, 0, read.data)),
            total.eq(earlier + delayed(m, value, 1, "value")),
        ]
        tags = delayed_tags(m, tags, 2, "tags_total")
        m.d.comb += write.en.eq(tags.valid)
        return total, tags
