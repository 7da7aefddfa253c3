"""Proofs of the ramp half of a token lane."""

from amaranth.hdl import Assert, Assume, Cover, Signal

from golden.attention.config import CoreConfig
from golden.code import PhaseCode
from hw.attention import payloads, ramp_lane
from tests.proofs.property import Fault, Property

CONFIG = CoreConfig(
    code=PhaseCode(steps=4, trace_bits=4), head_dim=1, lanes=1, cluster=1, tokens=2, terms_per_beat=1
)


class OneSpikeAtTheFirstStepReached(Property):
    """After each step of a window, the entry holds a spike exactly if the score in slot 0 takes part and a
    threshold of the window so far was not above it; its phase is that of the first such step. One spike per
    window, and no other entry changes.

    Assumes: nothing. Scores and thresholds are any, also rising ones; one entry is looked at, any of them."""

    component = "attention/ramp_lane"
    faults = (
        Fault(module=ramp_lane, old="(reached & ~spike.active)", new="reached"),
        Fault(module=ramp_lane, old="& self.held.alive", new=""),
        Fault(module=ramp_lane, old="(entry == n) & (first |", new="(first |"),
    )

    def build(self) -> None:
        m = self.m
        lane = self.unit("lane", ramp_lane.RampLane(CONFIG))
        entries = 2 * CONFIG.groups
        chosen = self.unknown(range(entries), "chosen")
        step = lane.command.strobe.step & (lane.command.data.entry == chosen)
        fields = lane.command.data
        fires = Signal()
        m.d.comb += [
            Assume(chosen < entries),
            fires.eq((lane.held.value >= fields.threshold) & lane.held.alive),
        ]
        active, phase = Signal(), Signal.like(fields.phase)
        with m.If(step & fields.first):
            m.d.sync += [active.eq(fires), phase.eq(fields.phase)]
        with m.Elif(step & fires & ~active):
            m.d.sync += [active.eq(1), phase.eq(fields.phase)]
        # the entry holds the result a cycle after the twin
        entry = Signal(payloads.attention(CONFIG))
        with m.Switch(chosen):
            for n in range(entries):
                with m.Case(n):
                    m.d.comb += entry.eq(lane.entries[n])
        m.d.comb += [
            Assert(entry.active == self.later(active)),
            Assert(~entry.active | (entry.phase == self.later(phase))),
            Cover(entry.active & (entry.phase == 2)),
            Cover(self.later(step, 2) & ~entry.active & (chosen == 1)),
        ]
