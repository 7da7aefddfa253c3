"""Context half of a token lane: the attention spike of one key times its value."""

from amaranth.hdl import Module
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out
from amaranth.utils import bits_for

from golden.attention.config import CoreConfig
from hw.attention import payloads
from hw.parts.payloads import spike


class ContextLane(wiring.Component):
    """Point of the trace that a key contributes: +-G[phase_attention + phase_v], or silence.

    Members:
        attention: attention spike of this key.
        value: spike of this key's value; `ones` replaces it by a positive spike of phase 0.
        active, negative, steps: to the trace lookup.

    Timing: combinational.
    """

    def __init__(self, config: CoreConfig) -> None:
        super().__init__(
            {
                "attention": In(payloads.attention(config)),
                "value": In(spike(config.code)),
                "ones": In(1),
                "active": Out(1),
                "negative": Out(1),
                "steps": Out(bits_for(2 * config.code.steps - 2)),
            }
        )

    def elaborate(self, platform: object) -> Module:
        m = Module()
        m.d.comb += [
            self.active.eq(self.attention.active & (self.value.active | self.ones)),
            self.negative.eq(self.value.negative & ~self.ones),
            self.steps.eq(self.attention.phase + self.value.phase),
        ]
        with m.If(self.ones):
            m.d.comb += self.steps.eq(self.attention.phase)
        return m
