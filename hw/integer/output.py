"""Streams rows of context out, and divides them into output codes."""

from amaranth.hdl import Cat, Const, Module, Mux, Signal, signed
from amaranth.lib import data, stream, wiring
from amaranth.lib.fifo import SyncFIFO
from amaranth.lib.wiring import In, Out

from golden.integer.config import IntegerConfig
from golden.integer.job import RATIO_FRACTION_BITS
from hw.integer import payloads
from hw.integer.context_rows import value_beat
from hw.integer.divisor import divisor_beat

# From a value to its magnitude and to what is divided
BEFORE_QUOTIENT = 3


def tags_layout() -> data.StructLayout:
    return data.StructLayout({"valid": 1, "normaliser": 1, "last": 1, "negative": 1})


class Output(wiring.Component):
    """A division per value without restoring, a bit of the quotient in each stage.

    Members:
        i: divisor and normaliser of each row.
        i_value: context values.
        release: a row has left.
        o_code, o_context: as `IntegerConfig.output` says.

    Timing: one value per cycle; a row takes features (codes alone) or features + 1 cycles. A context value
    appears two cycles after its turn, a code `latency`.
    """

    def __init__(self, config: IntegerConfig) -> None:
        self._config = config
        members = {
            "i": In(stream.Signature(divisor_beat(config))),
            "i_value": In(stream.Signature(value_beat(config))),
            "release": Out(1),
        }
        if config.output != "context":
            members["o_code"] = Out(stream.Signature(payloads.code_beat(config)))
        if config.output != "codes":
            members["o_context"] = Out(stream.Signature(payloads.context_beat(config)))
        super().__init__(members)

    @staticmethod
    def latency(config: IntegerConfig) -> int:
        return BEFORE_QUOTIENT + config.bits + 2

    def elaborate(self, platform: object) -> Module:
        m = Module()
        config = self._config
        # small queues at the outputs: the pipeline moves when both have room
        advance = Signal()
        rooms = []

        def queue(name: str) -> SyncFIFO:
            port = getattr(self, f"o_{name}")
            m.submodules[f"{name}_queue"] = fifo = SyncFIFO(width=len(port.payload.as_value()), depth=2)
            m.d.comb += [port.payload.eq(fifo.r_data), port.valid.eq(fifo.r_rdy), fifo.r_en.eq(port.ready)]
            rooms.append(fifo.w_rdy)
            return fifo

        normaliser = Signal(init=config.output != "codes")  # the turn is that of the normaliser
        turn, last = Signal(), Signal()
        m.d.comb += [
            turn.eq(advance & self.i.valid & (normaliser | self.i_value.valid)),
            self.i_value.ready.eq(advance & self.i.valid & ~normaliser),
            last.eq(turn & ~normaliser & self.i_value.payload.last),
            self.i.ready.eq(last),
            self.release.eq(last),
        ]
        with m.If(turn):
            m.d.sync += normaliser.eq(last & (config.output != "codes"))

        tags = Signal(tags_layout())
        value = Signal(signed(config.context_width), reset_less=True)
        divisor = Signal.like(self.i.payload.divisor, reset_less=True)
        with m.If(advance):
            m.d.sync += [
                tags.valid.eq(turn),
                tags.normaliser.eq(normaliser),
                tags.last.eq(self.i_value.payload.last),
                value.eq(Mux(normaliser, self.i.payload.normaliser, self.i_value.payload.value)),
                divisor.eq(self.i.payload.divisor),
            ]
        if config.output != "codes":
            fifo = queue("context")
            beat = Signal(payloads.context_beat(config))
            m.d.comb += [
                beat.value.eq(value),
                beat.normaliser.eq(tags.normaliser),
                beat.last.eq(tags.last & ~tags.normaliser),
                fifo.w_data.eq(beat),
                fifo.w_en.eq(advance & tags.valid),
            ]
        if config.output != "context":
            fifo = queue("code")
            beat = Signal(payloads.code_beat(config))
            valid = self._divide(m, advance, tags, value, divisor, beat)
            m.d.comb += [fifo.w_data.eq(beat), fifo.w_en.eq(advance & valid)]
        m.d.comb += advance.eq(Cat(rooms).all())
        return m

    def _divide(
        self, m: Module, advance: Signal, tags: data.View, value: Signal, divisor: Signal, beat: data.View
    ) -> Signal:
        """Fills `beat`; returns when it counts."""
        config = self._config
        left = RATIO_FRACTION_BITS - config.bits

        def register(source: object, name: str, **how: object) -> Signal:
            target = Signal.like(source, name=name, **how)
            with m.If(advance):
                m.d.sync += target.eq(source)
            return target

        magnitude = Signal(config.context_width - 1, reset_less=True)
        rest = Signal(
            signed(max(config.context_width + left, len(divisor) + config.bits) + 1), reset_less=True
        )
        signed_tags = Signal(tags_layout())
        with m.If(advance):
            m.d.sync += [
                signed_tags.eq(tags),
                signed_tags.negative.eq(value < 0),
                magnitude.eq(Mux(value < 0, -value, value)),
            ]
        tags, divisor = signed_tags, register(divisor, "divisor_0", reset_less=True)
        with m.If(advance):
            m.d.sync += rest.eq((magnitude << left) + (divisor >> 1))
        tags, divisor = register(tags, "tags_0"), register(divisor, "divisor_1", reset_less=True)

        # Without restoring: what is left may be negative, which is the bit of the quotient then. After the
        # first stage, whose bit is beyond the largest code, less than the divisor is left on either side.
        quotient: list[Signal] = []
        for bit in reversed(range(config.bits)):
            subtract = ~rest[-1] if quotient else Const(1, 1)
            term = Cat(divisor ^ subtract.replicate(len(divisor)), subtract).as_signed()
            whole = Cat(1, rest[bit:]).as_signed() + Cat(subtract, term).as_signed()
            left_over = Signal(signed(len(divisor) + 2), name=f"left_over_{bit}")
            m.d.comb += left_over.eq(whole >> 1)
            quotient = [register(q, f"quotient_{bit}_{n}", reset_less=True) for n, q in enumerate(quotient)]
            quotient.append(register(~whole[-1], f"bit_{bit}", reset_less=True))
            rest = register(Cat(rest[:bit], left_over).as_signed(), f"rest_{bit}", reset_less=True)
            tags = register(tags, f"tags_{bit + 1}")
            divisor = register(divisor, f"divisor_{bit + 2}", reset_less=True)
        whole = Cat(reversed(quotient))
        limited = Mux(whole[-1], config.code_limit, whole[:-1])
        with m.If(advance):
            m.d.sync += beat.value.eq(Mux(tags.negative, -limited, limited))
        tags = register(tags, "tags_out")
        m.d.comb += beat.last.eq(tags.last)
        return tags.valid & ~tags.normaliser
