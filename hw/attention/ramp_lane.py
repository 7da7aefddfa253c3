"""Ramp half of a token lane: fires when the falling threshold reaches the lane's score."""

from itertools import pairwise

from amaranth.hdl import Module, Signal
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from golden.attention.config import CoreConfig
from hw.attention import payloads


class RampLane(wiring.Component):
    """Compares a held score with the broadcast threshold and latches the phase of the first spike.

    Members:
        score: finished score of the search.
        copy: store `score` in the last slot.
        move: bit n moves slot n+1 to slot n.
        command: broadcast ramp step.
        spike: attention spike of the window so far; without one its phase means nothing.
        held: the score in slot 0, which `command` is about.

    Timing: `copy` in cycle n: the last slot holds the score from n+1 on. A step in cycle n: its result is
    in `spike` from n+2 on. One step per cycle.
    """

    def __init__(self, config: CoreConfig) -> None:
        self._config = config
        super().__init__(
            {
                "score": In(payloads.score(config)),
                "copy": In(1),
                "move": In(payloads.score_slots(config) - 1),
                "command": In(payloads.ramp_command(config)),
                "spike": Out(payloads.attention(config)),
                "held": Out(payloads.score(config)),
            }
        )

    def elaborate(self, platform: object) -> Module:
        m = Module()
        config = self._config
        # a queue that shifts: unlike a memory it needs no choice in front of the comparison
        slots = [
            Signal(payloads.score(config), name=f"slot_{n}", reset_less=True)
            for n in range(payloads.score_slots(config))
        ]
        for n, (slot, source) in enumerate(pairwise([*slots, self.score])):
            with m.If(self.move[n] if n < len(slots) - 1 else self.copy):
                m.d.sync += slot.eq(source)
        m.d.comb += self.held.eq(slots[0])

        step, first = Signal(), Signal(reset_less=True)
        reached = Signal(reset_less=True)
        phase = Signal.like(self.command.data.phase, reset_less=True)
        spike = Signal(self.spike.shape(), reset_less=True)
        m.d.sync += [
            step.eq(self.command.strobe.step),
            first.eq(self.command.data.first),
            phase.eq(self.command.data.phase),
            reached.eq((self.held.value >= self.command.data.threshold) & self.held.alive),
        ]
        # until it fires the phase is that of the last step
        with m.If(step & (first | ~spike.active)):
            m.d.sync += [spike.active.eq(reached), spike.phase.eq(phase)]
        m.d.comb += self.spike.eq(spike)
        return m
