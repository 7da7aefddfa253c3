"""Cycle model of streamed weights: when the weights of each pass are there.

A reader brings words (`golden.network.reader`), the loader fills one half of the weight memories with the
next pass while the neurons work from the other (`hw.network.weight_loader`).
"""

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from golden.network.compiler import Program
from golden.network.config import NetworkConfig
from golden.network.reader import ReaderTiming
from golden.network.weights import pass_words

# A pass may begin the cycle after its last word is accepted; the next one is let in the cycle after a half
# is free
LOADED, FREED = 1, 1


class Reader:
    """Words at full rate: one in each cycle in which they are wanted."""

    def accept(self, first: int, count: int) -> int:
        """Cycle in which the last of `count` words is accepted by who takes one per cycle from `first` on."""
        return first + count - 1


class PacedReader(Reader):
    """Words of a memory with latency, bandwidth and gaps, behind a queue.

    Args:
        start: cycle in which the reader begins.
    """

    def __init__(self, timing: ReaderTiming, start: int) -> None:
        self.timing, self.start = timing, start + timing.latency
        self.level, self.since = 0, start  # words in the queue at the beginning of a cycle

    def slots(self, cycle: int) -> int:
        """Words that could have come before a cycle."""
        timing = self.timing
        periods, rest = divmod(max(cycle - self.start, 0), timing.period)
        return periods * timing.words + -(-max(rest - timing.gap, 0) // timing.interval)

    def slot(self, number: NDArray[np.int64]) -> NDArray[np.int64]:
        """Cycles of words by their number, if the queue always had room."""
        timing = self.timing
        periods, rest = np.divmod(number, timing.words)
        return self.start + periods * timing.period + timing.gap + rest * timing.interval

    def accept(self, first: int, count: int) -> int:
        waited = self.slots(first) - self.slots(self.since)
        level = min(self.timing.queue, self.level + waited)
        # a full queue takes nothing in the first cycle; from then on one word leaves it in each
        begin = first + (level == self.timing.queue)
        known = np.full(min(level, count), first, np.int64)
        coming = self.slot(self.slots(begin) + np.arange(count - len(known))) + 1
        number = np.arange(count)
        last = int(np.maximum.accumulate(np.concatenate([known, coming]) - number)[-1]) + count - 1
        self.since = last + 1
        self.level = level + self.slots(self.since) - self.slots(begin) - count
        return last


@dataclass
class WeightTiming:
    """State of the halves; one call of `ready` and of `freed` per pass, in order.

    Attributes:
        reader: of the words.
        words: of every pass of an inference, its header included.
        cycles: of each pass, from its header to its last word; waited: the cycles in which the neurons had a
            row but not its weights.
    """

    reader: Reader
    words: list[int]
    start: int
    cycles: list[int] = field(default_factory=list)
    waited: list[int] = field(default_factory=list)

    def __post_init__(self) -> None:
        # when each half is free, the one to be filled next first
        self.free = [self.start, self.start]
        self.loaded = self.start - 1  # cycle in which the last word came

    def ready(self, wanted: int) -> int:
        """First cycle from `wanted` on in which the next pass may begin."""
        begin = max(self.free.pop(0), self.loaded + 1)
        self.loaded = self.reader.accept(begin, self.words[len(self.cycles) % len(self.words)])
        self.cycles.append(self.loaded - begin + 1)
        ready = max(wanted, self.loaded + LOADED)
        self.waited.append(ready - wanted)
        return ready

    def freed(self, cycle: int) -> None:
        """The weights of the pass have been read for the last time."""
        self.free.append(cycle + FREED)


def weight_timing(
    program: Program, config: NetworkConfig, memory: ReaderTiming | None, start: int
) -> WeightTiming:
    """Of a core that begins in cycle `start` to take words: of a memory, or at full rate."""
    reader = Reader() if memory is None else PacedReader(memory, start)
    return WeightTiming(reader, pass_words(program, config).tolist(), start)
