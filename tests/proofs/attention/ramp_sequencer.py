"""Proofs of the ramp: it meets the scores it is meant for, and a key fires at the time the contract names."""

from amaranth.hdl import Assert, Assume, Cover, Signal, signed

from golden.attention.config import DEFAULT, CoreConfig
from golden.code import PhaseCode
from hw.attention import payloads, ramp_lane, ramp_sequencer, winner_sequencer
from tests.proofs.property import Fault, Property

CONFIG = CoreConfig(
    code=PhaseCode(steps=4, trace_bits=4),
    head_dim=1,
    lanes=1,
    cluster=1,
    tokens=2,
    terms_per_beat=1,
    bias=False,
    mask=False,
    trace_store="logic",
)


class StepsMeetTheirScores(Property):
    """Scores that were searched come to the ramp all, once and in order: whenever a step reaches a lane, slot
    0 holds the score whose turn it is, and no score is overwritten.

    Assumes: scores are handed over only while the search is free. Winners may become known at any time, long
    before their scores have moved through the slots, and windows and tokens are any."""

    component = "attention/ramp_sequencer"
    reach = 64
    quick = False
    faults = (
        # the slots before they were mended: the ramp started when it knew the winner
        Fault(module=ramp_sequencer, old="running & self.slot_full", new="running"),
        Fault(module=winner_sequencer, old="(used != slots)", new="1"),
        Fault(module=winner_sequencer, old="(~held[n] | leaving)", new="1"),
        Fault(module=ramp_lane, old="n < len(slots) - 1", new="n < len(slots) - 2"),
    )

    def build(self) -> None:
        m = self.m
        search = self.unit("search", winner_sequencer.WinnerSequencer(CONFIG))
        ramp = self.unit("ramp", ramp_sequencer.RampSequencer(CONFIG))
        lane = self.unit("lane", ramp_lane.RampLane(CONFIG))
        slots = payloads.score_slots(CONFIG)
        copy, step = search.o_command.strobe.copy, ramp.o_command.strobe.step
        m.d.comb += [
            Assume(~search.take | search.free),
            ramp.slot_full.eq(search.slot_full),
            search.release_slot.eq(ramp.release_slot),
            lane.copy.eq(copy),
            lane.move.eq(search.o_command.strobe.move),
            lane.command.eq(ramp.o_command),
        ]
        held = Signal(range(slots + 1))  # scores that were copied and whose last step has not left
        m.d.sync += held.eq(held + copy - ramp.release_slot)
        # any one score is followed: how many are before it, and what it is
        follow = self.free(1, "follow")
        followed, before, kept = Signal(), Signal(range(slots + 1)), Signal.like(lane.score)
        with m.If(copy & follow & ~followed):
            m.d.sync += [followed.eq(1), before.eq(held - ramp.release_slot), kept.eq(lane.score)]
        with m.Elif(followed & ramp.release_slot):
            m.d.sync += [before.eq(before - 1), followed.eq(before != 0)]
        turn = followed & (before == 0)
        m.d.comb += [
            Assert(~step | (held != 0)),
            Assert(~copy | (held != slots) | ramp.release_slot),
            Assert(~(step & turn) | (lane.held.as_value() == kept.as_value())),
            Cover(step & turn & (held == slots - 1)),
            Cover(step & turn & lane.held.alive),
        ]


class KeyFiresAtTheContractsTime(Property):
    """The threshold of step t is reached by exactly those scores P with
    (W - P) * 2**D <= floor(STEP/2) + t*STEP, W the row's winner, in the widths of the default preset. With
    `OneSpikeAtTheFirstStepReached`: a key fires at the first t of which that is true.

    Assumes: a step of at most `step_limit`; scores of keys that take part are at most the winner. Pauses of
    any length between steps."""

    component = "attention/ramp_sequencer"
    faults = (
        Fault(module=ramp_sequencer, old="- (head.step >> 1)", new="- (head.step >> 2)"),
        Fault(module=ramp_sequencer, old="Const((1 << fraction) - 1, fraction)", new="Const(0, fraction)"),
        Fault(module=ramp_sequencer, old="Mux(below | now_below, lowest", new="Mux(below, lowest"),
        Fault(module=ramp_sequencer, old="Mux(fresh, start_level, next_level)", new="next_level"),
    )

    cases = ({"config": CONFIG}, {})

    def build(self, config: CoreConfig = DEFAULT) -> None:
        m = self.m
        fraction, width = config.code.ramp_bits, config.score_width
        ramp = self.opened("ramp", ramp_sequencer.RampSequencer(config))
        ports = ramp.ports
        score = self.unknown(signed(width), "score")
        winner, step = Signal(signed(width)), Signal(config.step_width)
        fallen = Signal(config.step_width + config.code.steps.bit_length() + 1)  # floor(STEP/2) + t*STEP
        time = Signal(range(config.code.steps + 1))
        m.d.comb += [
            Assume(ports.i_head.payload.step <= config.step_limit),
            Assume((ports.i_head.payload.window > 0) & (ports.i_head.payload.window <= config.code.steps)),
        ]
        with m.If(ramp["start"]):
            m.d.sync += [
                winner.eq(ports.i_winner.payload),
                step.eq(ports.i_head.payload.step),
                fallen.eq(ports.i_head.payload.step >> 1),
                time.eq(0),
            ]
        with m.If(ramp["step_now"]):
            m.d.sync += [fallen.eq(fallen + step), time.eq(time + 1)]
        with m.If(ramp["last_step"]):
            m.d.sync += [fallen.eq(step >> 1), time.eq(0)]
        lowest = -(1 << (width - 1))
        command = ports.o_command
        reached = self.later(((winner - score) << fraction) <= fallen)
        possible = self.later(score <= winner)
        running = ramp["running"]
        top = (winner << fraction) + ((1 << fraction) - 1)
        m.d.comb += [
            Assert(~(command.strobe.step & possible) | ((score >= command.data.threshold) == reached)),
            # how the level and the closed form hang together
            Assert(step <= config.step_limit),
            Assert(~running | (ramp["step"] == step)),
            Assert(~running | (ramp["start_level"] == top - (step >> 1))),
            Assert(~running | ramp["below"] | (ramp["level"] == top - fallen)),
            Assert(~(running & ramp["below"]) | (((winner - lowest) << fraction) <= fallen)),
            Assert(~running | ((ramp["steps_left"] > 0) & (time + ramp["steps_left"] == ramp["window"]))),
            Assert(~running | (ramp["final_step"] == (ramp["steps_left"] == 1))),
            Assert(running | ~ramp["below"]),
            Assert(~running | (fallen <= (time + 1) << (config.step_width - 1))),
            Assert(~running | ramp["below"] | (ramp["level"] >= (lowest << fraction) - config.step_limit)),
            Assert(~running | (ramp["window"] <= config.code.steps)),
            Cover(command.strobe.step & possible & reached & (command.data.phase == 3)),
            Cover(command.strobe.step & possible & ~reached & (command.data.phase == 3)),
        ]
