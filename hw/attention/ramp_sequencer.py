"""Stage 3: the inhibitory broadcast of WOSS, a threshold that falls linearly from the winner."""

from amaranth.hdl import Cat, Const, Module, Mux, Signal, signed
from amaranth.lib import stream, wiring
from amaranth.lib.wiring import In, Out

from golden.attention.config import CoreConfig
from hw.attention import payloads
from hw.parts.compare import above


class RampSequencer(wiring.Component):
    """Broadcasts the threshold of each time step; a key fires when the threshold reaches it.

    Key j fires at the first t with (W - P)*2**D <= floor(STEP/2) + t*STEP, that is with
    P >= ceil((W*2**D - floor(STEP/2) - t*STEP) / 2**D). (SpikedAttention, section 3.3.)

    Members:
        i_head: tokens, window and step of each head.
        i_winner: largest score of each row.
        o_command: to the first cluster.
        slot_full: slot 0 of the lanes holds scores in the cycle after this one.
        release_slot: the scores of one group are not needed after the step that leaves now.
        phases: rows of attention spikes that are complete.
        release_phases: the oldest row of attention spikes is not needed any more.

    Timing: groups * window + 1 cycles per row, more while a winner is known before its scores have
    come to slot 0. A step leaves one cycle after its level is set.
    """

    def __init__(self, config: CoreConfig) -> None:
        self._config = config
        super().__init__(
            {
                "i_head": In(stream.Signature(payloads.head_part(config, "tokens", "window", "step"))),
                "i_winner": In(stream.Signature(signed(config.score_width))),
                "o_command": Out(payloads.ramp_command(config)),
                "slot_full": In(1),
                "release_slot": Out(1),
                "phases": Out(range(3)),
                "release_phases": In(1),
            }
        )

    def elaborate(self, platform: object) -> Module:
        # The level stops mattering once it is below every score: from there on the threshold is
        # held at the lowest score, so the level needs one step of head room only.
        m = Module()
        config = self._config
        head = self.i_head.payload
        fraction = config.code.ramp_bits
        lowest = -(1 << (config.score_width - 1))
        command = self.o_command

        running, below, now_below = Signal(), Signal(), Signal()
        start_level, next_level = (Signal(signed(config.step_width + 1), reset_less=True) for _ in range(2))
        level = Signal(signed(config.step_width + 1))
        fresh = Signal()  # the next step is the first of its window
        step = Signal(config.step_width, reset_less=True)
        window = Signal.like(head.window, reset_less=True)
        t = Signal(range(config.code.steps))
        steps_left, final_step = Signal.like(head.window), Signal()  # the next step is the last of its window
        left = Signal.like(head.tokens)
        row, last_row = Signal(range(config.tokens)), Signal()
        used = Signal(range(3))
        bank, group = Signal(), Signal(range(max(2, config.groups)))
        threshold = Signal(signed(config.step_width + 1))
        start, step_now, last_step = Signal(), Signal(), Signal()
        last_group, row_done = Signal(), Signal()
        top = Signal(signed(config.step_width + 1))
        ones = Const((1 << fraction) - 1, fraction)
        m.d.comb += [
            start.eq(~running & self.i_winner.valid & self.i_head.valid & (used != 2)),
            self.i_winner.ready.eq(start),
            # the term 2**D - 1 turns the rounding of the shift into that of the ceiling
            top.eq(Cat(ones, self.i_winner.payload).as_signed() - (head.step >> 1)),
            level.eq(Mux(fresh, start_level, next_level)),
            step_now.eq(running & self.slot_full),  # a step meets scores in the lanes one cycle later
            last_step.eq(step_now & final_step),
            last_group.eq(~above(left, config.lanes)),
            row_done.eq(last_step & last_group),
            self.release_slot.eq(command.data.last),
            threshold.eq(level >> fraction),
            now_below.eq(threshold[-1] & ~threshold[config.score_width - 1 :].all()),  # threshold < lowest
        ]
        with m.If(start):
            m.d.sync += running.eq(1)
        # until a row starts whatever is offered is taken in: so many registers do not wait for that
        with m.If(~running):
            m.d.sync += [
                fresh.eq(1),
                start_level.eq(top),
                step.eq(head.step),
                window.eq(head.window),
                steps_left.eq(head.window),
                final_step.eq(head.window == 1),
                left.eq(head.tokens),
            ]
        with m.If(step_now):
            m.d.sync += [
                t.eq(t + 1),
                steps_left.eq(steps_left - 1),
                final_step.eq(steps_left == 2),
                fresh.eq(0),
                next_level.eq(level - step),
                below.eq(below | now_below),
            ]
        with m.If(last_step):
            m.d.sync += [
                t.eq(0),
                steps_left.eq(window),
                final_step.eq(window == 1),
                fresh.eq(1),
                below.eq(0),
                left.eq(left - config.lanes),
                group.eq(group + 1),
            ]
        with m.If(row_done):
            m.d.sync += [running.eq(0), group.eq(0), bank.eq(~bank), row.eq(row + 1)]
            with m.If(last_row):
                m.d.sync += row.eq(0)
                m.d.comb += self.i_head.ready.eq(1)
        m.d.sync += [
            last_row.eq(row + 1 == head.tokens),  # in time: every row takes two cycles at least
            used.eq(used + start - self.release_phases),
            self.phases.eq(self.phases + row_done - self.release_phases),
            command.strobe.step.eq(step_now),
            command.data.threshold.eq(Mux(below | now_below, lowest, threshold)),
            command.data.phase.eq(t),
            command.data.entry.eq(Mux(bank, config.groups, 0) + group),
            command.data.first.eq(t == 0),
            command.data.last.eq(last_step),
        ]
        return m
