"""Collects the context of rows: sums over groups, and a buffer of whole rows."""

from amaranth.hdl import Module, Mux, Signal, signed
from amaranth.lib import data, stream, wiring
from amaranth.lib.memory import Memory
from amaranth.lib.wiring import In, Out

from golden.attention.config import CoreConfig
from golden.widths import index_width
from hw.attention import payloads
from hw.parts.memory import NO_COLLISION


class ContextRows(wiring.Component):
    """Holds `ROW_BANKS` rows of context values, the normaliser in column 0.

    Room is granted by the context sequencer, so the partial sums are never held up.

    Members:
        i: partial sum of the last cluster.
        o_normaliser: normaliser of each row, as soon as it is known.
        rows: complete rows held and not yet released.
        bank, column: what to read.
        enable: read.
        value: the value read, one cycle later.

    Timing: a sum at `i` in cycle n is written in n+1. A row counts in `rows` from `latency` cycles after
    its last sum on, its normaliser is valid from as many cycles after its sum on.
    """

    latency = 2

    def __init__(self, config: CoreConfig) -> None:
        self._config = config
        super().__init__(
            {
                "i": In(payloads.context_link(config)),
                "o_normaliser": Out(stream.Signature(config.normaliser_width)),
                "rows": Out(range(payloads.ROW_BANKS + 1)),
                "release": In(1),
                "bank": In(range(payloads.ROW_BANKS)),
                "column": In(index_width(config.head_dim + 1)),
                "enable": In(1),
                "value": Out(signed(config.context_width)),
            }
        )

    def elaborate(self, platform: object) -> Module:
        m = Module()
        config = self._config
        banks = payloads.ROW_BANKS
        total = Signal(signed(config.context_width), reset_less=True)
        open_sum, valid = Signal(), Signal()  # a sum over groups has begun; `total` is complete
        ones, last = Signal(reset_less=True), Signal(reset_less=True)
        m.d.sync += [
            valid.eq(self.i.tags.valid & self.i.tags.final),
            ones.eq(self.i.tags.ones),
            last.eq(self.i.tags.last),
        ]
        with m.If(self.i.tags.valid):
            m.d.sync += [
                total.eq(Mux(open_sum, total, 0) + self.i.sum + self.i.carry),
                open_sum.eq(~self.i.tags.final),
            ]

        address = data.StructLayout({"column": index_width(config.head_dim + 1), "bank": range(banks)})
        m.submodules.memory = memory = Memory(
            shape=signed(config.context_width), depth=1 << address.size, init=[], attrs=NO_COLLISION
        )
        write, read = memory.write_port(), memory.read_port()
        written, wanted = Signal(address), Signal(address)
        complete = Signal()
        m.d.comb += [
            complete.eq(valid & last),
            write.en.eq(valid),
            write.addr.eq(written),
            write.data.eq(total),
            wanted.column.eq(self.column),
            wanted.bank.eq(self.bank),
            read.addr.eq(wanted),
            read.en.eq(self.enable),
            self.value.eq(read.data),
        ]
        with m.If(valid):
            m.d.sync += written.column.eq(written.column + 1)
        with m.If(complete):
            m.d.sync += [written.column.eq(0), written.bank.eq(written.bank + 1)]
        m.d.sync += self.rows.eq(self.rows + complete - self.release)

        # normalisers wait here for their threshold; there are never more than rows
        queue = [
            Signal(config.normaliser_width, name=f"normaliser_{n}", reset_less=True) for n in range(banks)
        ]
        head, tail = Signal(range(banks)), Signal(range(banks))
        level = Signal(range(banks + 1))
        push, pop = Signal(), Signal()
        m.d.comb += [
            push.eq(valid & ones),
            self.o_normaliser.valid.eq(level != 0),
            pop.eq(self.o_normaliser.valid & self.o_normaliser.ready),
        ]
        with m.Switch(head):
            for n in range(banks):
                with m.Case(n):
                    m.d.comb += self.o_normaliser.payload.eq(queue[n])
        with m.Switch(tail):
            for n in range(banks):
                with m.Case(n), m.If(push):
                    m.d.sync += queue[n].eq(total)
        m.d.sync += [head.eq(head + pop), tail.eq(tail + push), level.eq(level + push - pop)]
        return m
