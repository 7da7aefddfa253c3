"""Ramp half of a token lane: fires when the falling threshold reaches the lane's score."""

from amaranth.hdl import Array, Module, Signal
from amaranth.lib import data, wiring
from amaranth.lib.wiring import In, Out

from golden.config import CoreConfig
from hw import payloads


class RampLane(wiring.Component):
    """Compares a held score with the broadcast threshold and latches the phase of the first spike.

    Members:
        score: finished score of the search.
        copy, copy_slot: store `score`.
        command: broadcast ramp step.
        entries: attention spikes, one per entry.
        held: the score that `command` addresses.

    Timing: `copy` in cycle n: the slot holds the score from n+1 on. A step in cycle n: the entry
    holds its result from n+2 on. One step per cycle.
    """

    def __init__(self, config: CoreConfig) -> None:
        self._config = config
        super().__init__(
            {
                "score": In(payloads.score(config)),
                "copy": In(1),
                "copy_slot": In(payloads.index_width(payloads.score_slots(config))),
                "command": In(payloads.ramp_command(config)),
                "entries": Out(data.ArrayLayout(payloads.attention(config), 2 * config.groups)),
                "held": Out(payloads.score(config)),
            }
        )

    def elaborate(self, platform: object) -> Module:
        m = Module()
        config = self._config
        slots = [
            Signal(payloads.score(config), name=f"slot_{n}", reset_less=True)
            for n in range(payloads.score_slots(config))
        ]
        with m.Switch(self.copy_slot):
            for n, slot in enumerate(slots):
                with m.Case(n), m.If(self.copy):
                    m.d.sync += slot.eq(self.score)
        m.d.comb += self.held.eq(Array(slot.as_value() for slot in slots)[self.command.data.slot])

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
