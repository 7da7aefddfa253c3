"""Proofs of the score half of a token lane: its sum never leaves its width."""

from amaranth.hdl import Assert, Assume, Cover, Signal, signed

from golden.attention.config import DEFAULT, LEAN, CoreConfig
from hw.attention import score_lane
from tests.proofs.property import Fault, Property


class ScoreIsTheSum(Property):
    """What is handed over is the sum, in integers without a width, of all addends since the last hand-over,
    and of the bias: it never overflows. A key takes part if it is present and was not masked.

    Assumes: between two hand-overs at most `head_dim` additions, each of at most a trace's full value, and
    one strobe for terms, with a bias of at most `bias_limit`; one strobe at a time."""

    component = "attention/score_lane"
    cases = ({"config": DEFAULT}, {"config": LEAN})
    faults = (
        Fault(module=score_lane, old="Cat(carry, addend)", new="Cat(0, addend)"),
        Fault(module=score_lane, old="self.carry & ~self.terms", new="self.carry"),
        Fault(module=score_lane, old="total.eq(0)", new="total.eq(total)"),
        Fault(module=score_lane, old="masked.eq(0)", new="masked.eq(masked)"),
    )

    def build(self, config: CoreConfig) -> None:
        m = self.m
        lane = self.opened("lane", score_lane.ScoreLane(config))
        ports = lane.ports
        full = 1 << config.code.trace_bits
        total = Signal(signed(config.score_width + 4))
        added, biased, masked = Signal(range(config.head_dim + 1)), Signal(), Signal()
        m.d.comb += [
            Assume(ports.add + ports.terms + ports.take <= 1),
            Assume(~ports.add | (added != config.head_dim)),
            Assume(~ports.terms | ~biased),
            Assume((ports.addend + ports.carry <= full) & (ports.addend + ports.carry >= -full)),
        ]
        bias = ports.term.bias if config.bias else 0
        if config.bias:
            m.d.comb += Assume((bias <= config.bias_limit) & (bias >= -config.bias_limit))
        with m.If(ports.add):
            m.d.sync += [total.eq(total + ports.addend + ports.carry), added.eq(added + 1)]
        with m.If(ports.terms):
            m.d.sync += [total.eq(total + bias), biased.eq(1)]
            if config.mask:
                m.d.sync += masked.eq(ports.term.masked)
        with m.If(ports.take):
            m.d.sync += [total.eq(0), added.eq(0), biased.eq(0), masked.eq(0)]
        limit = (added << config.code.trace_bits) + (config.bias_limit * biased if config.bias else 0)
        taken = self.later(ports.take)
        m.d.comb += [
            Assert(~taken | (ports.score.value == self.later(total))),
            Assert(~taken | (ports.score.alive == self.later(ports.present & ~masked))),
            Assert(lane["total"] == total),
            Assert(lane["masked"] == masked),
            Assert((total <= limit) & (total >= -limit)),
            Assert(added <= config.head_dim),
            Cover(taken & (ports.score.value < 0)),
            Cover(taken & (ports.score.value > full)),
        ]
