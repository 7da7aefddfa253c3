"""Ramp half of a token lane: fires when the falling threshold reaches the lane's score."""

from itertools import pairwise

from amaranth.hdl import Module, Mux, Signal
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from golden.attention.config import CoreConfig
from hw.attention import payloads


class RampLane(wiring.Component):
    """Compares a held score with the broadcast threshold and latches the phase of the first spike.

    Members:
        score: finished score of the search; with `score_store = "memory"` the score in slot 0.
        copy: store `score` in the last slot. Only with `score_store = "registers"`.
        move: bit n moves slot n+1 to slot n. Only with `score_store = "registers"`.
        command: broadcast ramp step.
        spike: attention spike of the window so far; without one its phase means nothing.
        next: `spike` of the next cycle. Only with `score_store = "memory"`.
        held: the score in slot 0, which `command` is about.

    Timing: `copy` in cycle n: the last slot holds the score from n+1 on. A step in cycle n: its result is
    in `spike` from n+2 on. One step per cycle.
    """

    def __init__(self, config: CoreConfig) -> None:
        self._config = config
        moves: dict[str, wiring.Member] = {"copy": In(1), "move": In(payloads.score_slots(config) - 1)}
        super().__init__(
            {
                "score": In(payloads.score(config)),
                **(moves if config.score_store == "registers" else {"next": Out(payloads.attention(config))}),
                "command": In(payloads.ramp_command(config)),
                "spike": Out(payloads.attention(config)),
                "held": Out(payloads.score(config)),
            }
        )

    def elaborate(self, platform: object) -> Module:
        m = Module()
        if self._config.score_store == "registers":
            self._queue(m)
        else:
            m.d.comb += self.held.eq(self.score)

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
        if self._config.score_store == "memory":
            fires = step & (first | ~self.spike.active)
            m.d.comb += self.next.active.eq(Mux(fires, reached, spike.active))
            m.d.comb += self.next.phase.eq(Mux(fires, phase, spike.phase))
        return m

    def _queue(self, m: Module) -> None:
        """The slots: a queue that shifts needs no choice in front of the comparison."""
        slots = [
            Signal(payloads.score(self._config), name=f"slot_{n}", reset_less=True)
            for n in range(payloads.score_slots(self._config))
        ]
        for n, (slot, source) in enumerate(pairwise([*slots, self.score])):
            with m.If(self.move[n] if n < len(slots) - 1 else self.copy):
                m.d.sync += slot.eq(source)
        m.d.comb += self.held.eq(slots[0])
