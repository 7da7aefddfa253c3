"""Ramp half of a token lane: fires when the falling threshold reaches the lane's score."""

from itertools import pairwise

from amaranth.hdl import Module, Signal
from amaranth.lib import data, wiring
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
        entries: attention spikes, one per entry.
        held: the score in slot 0, which `command` is about.

    Timing: `copy` in cycle n: the last slot holds the score from n+1 on. A step in cycle n: the entry
    holds its result from n+2 on. One step per cycle.
    """

    def __init__(self, config: CoreConfig) -> None:
        self._config = config
        super().__init__(
            {
                "score": In(payloads.score(config)),
                "copy": In(1),
                "move": In(payloads.score_slots(config) - 1),
                "command": In(payloads.ramp_command(config)),
                "entries": Out(data.ArrayLayout(payloads.attention(config), 2 * config.groups)),
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
        entry = Signal.like(self.command.data.entry, reset_less=True)
        m.d.sync += [
            step.eq(self.command.strobe.step),
            first.eq(self.command.data.first),
            phase.eq(self.command.data.phase),
            entry.eq(self.command.data.entry),
            reached.eq((self.held.value >= self.command.data.threshold) & self.held.alive),
        ]
        for n in range(2 * config.groups):
            spike = self.entries[n]
            with m.If(step & (entry == n) & (first | (reached & ~spike.active))):
                m.d.sync += [spike.active.eq(reached), spike.phase.eq(phase)]
        return m
