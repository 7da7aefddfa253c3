"""Proofs of the ramp half of a token lane."""

from amaranth.hdl import Assert, Cover, Signal

from golden.attention.config import CoreConfig
from golden.code import PhaseCode
from hw.attention import ramp_lane
from tests.proofs.property import Fault, Property

CONFIG = CoreConfig(
    code=PhaseCode(steps=4, trace_bits=4), head_dim=1, lanes=1, cluster=1, tokens=2, terms_per_beat=1
)


class OneSpikeAtTheFirstStepReached(Property):
    """After each step of a window there is a spike exactly if the score in slot 0 takes part and a threshold
    of the window so far was not above it; its phase is that of the first such step. One spike per window.

    Assumes: nothing. Scores and thresholds are any, also rising ones."""

    component = "attention/ramp_lane"
    faults = (
        Fault(module=ramp_lane, old="(first | ~spike.active)", new="1"),
        Fault(module=ramp_lane, old="& self.held.alive", new=""),
        Fault(module=ramp_lane, old="(first | ~spike.active)", new="~spike.active"),
    )

    def build(self) -> None:
        m = self.m
        lane = self.unit("lane", ramp_lane.RampLane(CONFIG))
        step, fields = lane.command.strobe.step, lane.command.data
        fires = Signal()
        m.d.comb += fires.eq((lane.held.value >= fields.threshold) & lane.held.alive)
        active, phase = Signal(), Signal.like(fields.phase)
        with m.If(step & fields.first):
            m.d.sync += [active.eq(fires), phase.eq(fields.phase)]
        with m.Elif(step & fires & ~active):
            m.d.sync += [active.eq(1), phase.eq(fields.phase)]
        # the result is there a cycle after the twin's
        begun, spike = Signal(), lane.spike
        with m.If(step & fields.first):
            m.d.sync += begun.eq(1)
        whole = self.later(begun)
        m.d.comb += [
            Assert(~whole | (spike.active == self.later(active))),
            Assert(~(whole & spike.active) | (spike.phase == self.later(phase))),
            Cover(whole & spike.active & (spike.phase == 2)),
            Cover(whole & self.later(step, 2) & ~spike.active),
        ]
