"""Scores of a cluster on their way from the search to the ramp, in block RAM."""

from amaranth.hdl import Module, Signal
from amaranth.lib import data, wiring
from amaranth.lib.memory import Memory
from amaranth.lib.wiring import In, Out
from amaranth.utils import ceil_log2

from golden.attention.config import CoreConfig
from hw.attention import payloads
from hw.parts.memory import BLOCK, NO_COLLISION


class ScoreMemory(wiring.Component):
    """What the slots of `hw.attention.ramp_lane` hold, for all lanes, in one memory: slot 0 is what it shows.

    Members:
        scores: finished scores of the search.
        copy: store them behind all others.
        leave: the oldest that are stored move to slot 0, in the third cycle after they were stored or later.
        held: the scores in slot 0.

    Timing: `leave` in cycle n: they are in `held` from n+1 on.
    """

    def __init__(self, config: CoreConfig) -> None:
        self._config = config
        scores = data.ArrayLayout(payloads.score(config), config.cluster)
        super().__init__({"scores": In(scores), "copy": In(1), "leave": In(1), "held": Out(scores)})

    def elaborate(self, platform: object) -> Module:
        # A score moves up to slot 0 by a slot per cycle, from the last in two cycles at least: it is in the
        # memory before it is read
        m = Module()
        bits = ceil_log2(payloads.score_slots(self._config))
        m.submodules.memory = memory = Memory(
            shape=self.scores.shape(), depth=1 << bits, init=[], attrs={**BLOCK, **NO_COLLISION}
        )
        write, read = memory.write_port(), memory.read_port()
        newest, oldest = Signal(bits), Signal(bits)
        m.d.comb += [
            write.en.eq(self.copy),
            write.addr.eq(newest),
            write.data.eq(self.scores),
            read.en.eq(self.leave),
            read.addr.eq(oldest),
            self.held.eq(read.data),
        ]
        m.d.sync += [newest.eq(newest + self.copy), oldest.eq(oldest + self.leave)]
        return m
