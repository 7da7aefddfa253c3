"""Cycle model of streamed weights: when the weights of each pass are there.

A reader brings words (`golden.network.reader`), the loader fills one half of the weight memories with the
next pass while the neurons work from the other (`weight_loader` in `hw.network` and `hw.stochastic.network`).
"""

from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from golden.network.reader import ReaderTiming

# A pass may begin the cycle after its last word is accepted; the next one is let in two cycles after a half
# is free
LOADED, FREED = 1, 2


class Reader(Protocol):
    """What brings the words, as `sim.timing.memory.CyclicReads` does."""

    def take(self, words: int, ready: int) -> int:
        """Cycle in which the last of the next words is taken.

        Args:
            words: how many, at least 1.
            ready: cycle from which the loader takes a word in every cycle in which one is there.
        """


class FullRate:
    """A word in each cycle in which one is wanted."""

    def take(self, words: int, ready: int) -> int:
        return ready + words - 1


class PacedReader:
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

    def take(self, words: int, ready: int) -> int:
        waited = self.slots(ready) - self.slots(self.since)
        level = min(self.timing.queue, self.level + waited)
        # a full queue takes nothing in the first cycle; from then on one word leaves it in each
        begin = ready + (level == self.timing.queue)
        known = np.full(min(level, words), ready, np.int64)
        coming = self.slot(self.slots(begin) + np.arange(words - len(known))) + 1
        number = np.arange(words)
        last = int(np.maximum.accumulate(np.concatenate([known, coming]) - number)[-1]) + words - 1
        self.since = last + 1
        self.level = level + self.slots(self.since) - self.slots(begin) - words
        return last


@dataclass
class LayerFetch:
    """Streamed weights of a linear layer, and the time that its neurons and the memory took.

    Attributes:
        what: the layer.
        words: of its passes, headers included.
        begun, done: cycles in which its first and its last word were taken.
        memory: cycles in which its words came one after the other.
        lanes: cycles that its rows take at least.
        waited: cycles in which a row was there but not the weights.
        first, last: cycles of its first and its last broadcast.
    """

    what: str
    words: int
    begun: int
    done: int
    memory: int
    lanes: int
    waited: int
    first: int
    last: int

    @property
    def bound(self) -> str:
        """What of both takes longer."""
        return "memory" if self.memory > self.lanes else "lanes"

    def joined(self, other: "LayerFetch") -> "LayerFetch":
        """This part of a layer and the one that comes after it."""
        return LayerFetch(
            self.what, self.words + other.words, self.begun, other.done, self.memory + other.memory,
            self.lanes + other.lanes, self.waited + other.waited, self.first, other.last,
        )  # fmt: skip


class WeightTiming:
    """State of the halves; one call of `ready`, `freed` and `note` per pass, in order.

    Args:
        reader: of the words.
        words: of every pass of an inference, its header included.
        start: first cycle in which words are taken.
    """

    def __init__(self, reader: Reader, words: list[int], start: int) -> None:
        self.reader, self.words, self.number = reader, words, 0
        # when each half is free, the one to be filled next first; the last word of the pass before
        self.free = [start, start]
        self.begun = self.loaded = start - 1
        self.waited = 0

    def ready(self, wanted: int) -> int:
        """First cycle from `wanted` on in which the next pass may begin."""
        self.begun = max(self.free.pop(0), self.loaded + 1)
        self.loaded = self.reader.take(self.words[self.number], self.begun)
        ready = max(wanted, self.loaded + LOADED)
        self.waited = ready - wanted
        return ready

    def freed(self, cycle: int) -> None:
        """The weights of the pass have been read for the last time."""
        self.free.append(cycle + FREED)

    def note(
        self, what: str, first: int, last: int, lanes: int, opens: bool, fetched: list[LayerFetch]
    ) -> None:
        """Add the pass to its layer, of which it is the first one where it `opens` it."""
        if opens:
            fetched.append(LayerFetch(what, 0, self.begun, 0, 0, 0, 0, first, last))
        layer = fetched[-1]
        layer.words += self.words[self.number]
        layer.memory += self.loaded - self.begun + 1
        layer.lanes += lanes
        layer.waited += self.waited
        layer.done, layer.last = self.loaded, last
        self.number = (self.number + 1) % len(self.words)


def reader_from(memory: ReaderTiming | None, start: int) -> Reader:
    """What brings the words from cycle `start` on: a memory, or without one the full rate."""
    return FullRate() if memory is None else PacedReader(memory, start)
