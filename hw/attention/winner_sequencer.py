"""Stage 2: puts the scores on the winner search, bit by bit."""

from amaranth.hdl import Assert, Cat, Module, Signal
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from golden.attention.config import CoreConfig
from hw.attention import payloads
from hw.attention.trace import TraceLookup


class WinnerSequencer(wiring.Component):
    """Searches one group of scores after the other and moves each on to the ramp.

    Members:
        take, final: scores are handed over (of the last group of their row).
        free: scores can be handed over in this cycle.
        release_slot: the ramp is done with the scores in slot 0, at the end of the cycle in which
            its last step leaves.
        slot_full: slot 0 holds scores in the cycle after this one.
        o_command: to the first cluster.

    Timing: score_width + 1 cycles per group from the cycle after `take` on, later if no slot is
    free. In the last of them the scores enter the last slot; they move on by a slot per cycle, and
    may reach slot 0 before or after their winner is known. Commands leave 3 + lookup cycles after
    the decision, when the scores have arrived in the lanes.
    """

    def __init__(self, config: CoreConfig) -> None:
        self._config = config
        super().__init__(
            {
                "take": In(1),
                "final": In(1),
                "free": Out(1),
                "release_slot": In(1),
                "slot_full": Out(1),
                "o_command": Out(payloads.winner_command(config)),
            }
        )

    @staticmethod
    def latency(config: CoreConfig) -> int:
        """Cycles that a command waits for the scores to be there."""
        return 3 + TraceLookup.latency(config)

    def elaborate(self, platform: object) -> Module:
        m = Module()
        config = self._config
        slots = payloads.score_slots(config)
        full = Signal()
        used = Signal(range(slots + 1))
        command = Signal(payloads.winner_command(config))
        select = Signal(range(config.score_width + 1))
        final = Signal()
        first, search, copy = Signal(), Signal(), Signal()
        m.d.comb += [
            first.eq(select == config.score_width),
            search.eq(full & (~first | (used != slots))),
            copy.eq(search & (select == 0)),
            self.free.eq(~full | copy),
            command.strobe.search.eq(search),
            command.strobe.copy.eq(copy),
            command.strobe.first.eq(search & first),
            command.data.last.eq(select == 0),
            command.data.final.eq(final),
        ]
        m.d.sync += used.eq(used + (search & first) - self.release_slot)
        with m.If(search):
            m.d.sync += select.eq(select - 1)
        with m.If(copy):
            m.d.sync += full.eq(0)
        with m.If(self.take):
            m.d.sync += [full.eq(1), select.eq(config.score_width), final.eq(self.final)]
        for n in range(self.latency(config)):
            later = Signal(payloads.winner_command(config), name=f"command_{n + 1}")
            m.d.sync += later.eq(command)
            command = later
        m.d.comb += self.o_command.eq(command)

        # Slots in the order of the lanes' time: scores enter the last slot, and move on whenever
        # the slot before them is empty or being left.
        held, held_next = Signal(slots), Signal(slots)
        move = Signal(slots - 1)
        for n in range(slots - 1):
            leaving = self.release_slot if n == 0 else move[n - 1]
            m.d.comb += move[n].eq(held[n + 1] & (~held[n] | leaving))
        m.d.comb += [
            self.o_command.strobe.move.eq(move),
            held_next.eq((held & ~Cat(self.release_slot, move)) | Cat(move, command.strobe.copy)),
            self.slot_full.eq(held_next[0]),
        ]
        m.d.sync += held.eq(held_next)
        if config.taps:
            free = ~held[-1] | move[-1]
            m.d.sync += Assert(~command.strobe.copy | free, "scores enter a slot that is free")
        return m
