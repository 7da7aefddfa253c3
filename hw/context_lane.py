"""Context half of a token lane: the attention spike of one key times its value."""

from amaranth.hdl import Cat, Module, Signal, signed
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from golden.config import CoreConfig
from hw import payloads
from hw.trace import TraceDecay


class ContextLane(wiring.Component):
    """One addend of the context: +-G[phase_attention + phase_v], zero if either is silent.

    Members:
        attention: attention spike of this key.
        value: spike of this key's value; `ones` replaces it by a spike of phase 0.
        addend: the table entry, inverted if negative.
        carry: one that is still owed to an inverted addend.

    Timing: one cycle; one addend per cycle.
    """

    def __init__(self, config: CoreConfig) -> None:
        self._config = config
        super().__init__(
            {
                "attention": In(payloads.attention(config)),
                "value": In(payloads.spike(config.code)),
                "ones": In(1),
                "addend": Out(signed(config.code.trace_bits + 2)),
                "carry": Out(1),
            }
        )

    def elaborate(self, platform: object) -> Module:
        m = Module()
        m.submodules.decay = decay = TraceDecay(self._config.code)
        with m.If(self.ones):
            m.d.comb += decay.steps.eq(self.attention.phase)
        with m.Else():
            m.d.comb += decay.steps.eq(self.attention.phase + self.value.phase)
        active, negative = Signal(), Signal(reset_less=True)
        m.d.comb += active.eq(self.attention.active & (self.value.active | self.ones))
        product = Signal.like(decay.trace, reset_less=True)
        m.d.sync += negative.eq(active & self.value.negative & ~self.ones)
        with m.If(active):
            m.d.sync += product.eq(decay.trace)
        with m.Else():
            m.d.sync += product.eq(0)
        m.d.comb += [
            self.addend.eq(Cat(product ^ negative.replicate(len(product)), negative).as_signed()),
            self.carry.eq(negative),
        ]
        return m
