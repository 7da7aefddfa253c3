"""Falling threshold: a place becomes a one-spike code."""

from amaranth.hdl import Module, Signal, signed
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from golden.network.config import NetworkConfig
from golden.network.limits import OFFSET_BITS
from hw.network import payloads
from hw.network.octave_encoder import PLACE_BITS
from hw.parts.payloads import spike


class FallingThreshold(wiring.Component):
    """Fires at the first phase p with place >= level[p] + offset + shift.

    Members:
        place, negative: of the potential.
        offset, shift: of the neuron and of the row.
        levels: threshold list.
        both: negative potentials fire too.
        spike: `latency` cycles later. `levels` is looked at one cycle after `place`.

    Timing: one neuron per cycle, 3 cycles later.
    """

    latency = 3

    def __init__(self, config: NetworkConfig) -> None:
        self._config = config
        super().__init__(
            {
                "place": In(signed(PLACE_BITS)),
                "negative": In(1),
                "offset": In(signed(OFFSET_BITS)),
                "shift": In(signed(PLACE_BITS)),
                "levels": In(payloads.levels(config)),
                "both": In(1),
                "spike": Out(spike(config.code)),
            }
        )

    def elaborate(self, platform: object) -> Module:
        m = Module()
        steps = self._config.code.steps
        above = Signal(signed(PLACE_BITS + 2), reset_less=True)
        negative, negative_2 = Signal(reset_less=True), Signal(reset_less=True)
        both, both_2 = Signal(reset_less=True), Signal(reset_less=True)
        reached = Signal(steps, reset_less=True)
        # what resets it would come behind the choice of the phase
        shown = Signal(spike(self._config.code), reset_less=True)
        m.d.sync += [
            above.eq(self.place - self.offset - self.shift),
            negative.eq(self.negative),
            negative_2.eq(negative),
            both.eq(self.both),
            both_2.eq(both),
            shown.active.eq(reached.any() & (both_2 | ~negative_2)),
            shown.negative.eq(negative_2),
        ]
        m.d.comb += self.spike.eq(shown)
        for phase in range(steps):
            m.d.sync += reached[phase].eq(above >= self.levels[phase])
        for phase in reversed(range(steps)):
            with m.If(reached[phase]):
                m.d.sync += shown.phase.eq(phase)
        return m
