"""Cycle model of streamed words: when each word of an endless stream from an SDRAM is taken.

Cycle 0 is the first after the reset of the memory's controller, which then sets up the chip and refreshes it
at its own pace: when a refresh falls due does not depend on who reads.

Order within a burst, in the words of the hardware: ask (wait for room), take (wait for the slot before, for a
refresh, for the row), come, be taken word by word.
"""

from collections import deque
from math import inf

import numpy as np
from numpy.typing import NDArray

from golden.memory import BURST, CAS, MemoryConfig, Region

# Refreshes before the chip's mode is set
FIRST_REFRESHES = 8
# From a burst taken by the controller to its first word offered
COMES = CAS + 4
# From a burst taken, or from room for one, to the next being asked for
ASK = 2
# From the end of a rewind to the first burst being asked for
REWOUND = 2


class Controller:
    """The controller alone: cycles in which bursts are taken.

    Attributes:
        page: open row, counted through the banks; None where none is.
        at: cycle in which it can decide what to do next.
        due: cycle of the next refresh.
        fresh: the open row has not been used yet.
    """

    def __init__(self, config: MemoryConfig) -> None:
        self.config = config
        self.page: int | None = None
        set_up = config.precharge + FIRST_REFRESHES * config.refresh + config.mode
        self.at = config.power_up_periods * config.refresh_period + set_up
        self.due = config.refresh_period
        self.fresh = False
        self._bursts = config.chip.columns // BURST
        self._all = config.chip.words // BURST

    def page_of(self, burst: int) -> int:
        """Row of a burst; behind the last one of the chip comes the first."""
        return burst % self._all // self._bursts

    def take(self, asked: int, burst: int) -> int:
        """Cycle in which a burst is taken that is asked for from a cycle on."""
        config, page = self.config, self.page_of(burst)
        while True:
            cycle = max(self.at, asked if self.fresh else min(asked, self.due))
            if self.page is None:
                if self.due <= cycle:
                    self.due = (cycle // config.refresh_period + 1) * config.refresh_period
                    self.at = cycle + config.refresh
                else:
                    self.page, self.fresh = page, True
                    self.at = cycle + config.activate_to_column
            elif (self.due <= cycle and not self.fresh) or page != self.page:
                self.page = None
                self.at = cycle + config.precharge
            else:
                self.fresh = False
                self.at = cycle + BURST
                self.page = self.page_of(burst + 1)
                return cycle


class CyclicReads:
    """When the words of a region come, read over and over by one consumer.

    Exact to the cycle for `hw.memory`'s reader and controller, as long as nobody else uses the memory.
    Millions of words take about a second: between refreshes they are not looked at one by one.

    Args:
        config: chip and clock.
        region: which words.
        cycle: first cycle in which the reader is not rewound; nothing is on its way to it then.
        depth: words that the reader stores ahead.
    """

    def __init__(self, config: MemoryConfig, region: Region, cycle: int = 0, depth: int = 32) -> None:
        self._region = region
        self._controller = Controller(config)
        self._burst = region.first_burst
        self._place = 0  # of the next word in the burst
        self._came = 0  # cycle in which the first word of this burst is offered
        self._taken = cycle + REWOUND - ASK  # cycle in which the last burst was taken by the controller
        self._left = cycle - 1  # cycle in which the last word was taken
        ahead = depth // BURST
        self._ends: deque[float] = deque([-inf] * ahead, ahead)  # cycles in which bursts were used up

    def take(self, words: int, ready: int) -> int:
        """Cycle in which the last of the next words is taken.

        Args:
            words: how many, at least 1.
            ready: cycle from which the consumer takes a word in every cycle in which one is there.
        """
        return int(self._take(words, ready, None))

    def times(self, words: int, ready: int) -> NDArray[np.int64]:
        """As `take`; the cycle of each word."""
        cycles = np.empty(words, np.int64)
        self._take(words, ready, cycles)
        return cycles

    def _take(self, words: int, ready: int, cycles: NDArray[np.int64] | None) -> int:
        done = 0
        while done < words:
            if self._place == 0:
                done += self._skip(words - done, ready, done, cycles)
                if done == words:
                    break
                self._fetch()
            last = self._burst == self._region.last_burst
            size = self._region.tail + 1 if last else BURST
            count = min(words - done, size - self._place)
            first = max(self._left + 1, self._came + self._place, ready)
            if cycles is not None:
                cycles[done : done + count] = first + np.arange(count)
            done += count
            self._left = first + count - 1
            self._place += count
            if self._place == size:
                self._finish(last)
        return self._left

    def _fetch(self) -> None:
        asked = max(self._taken, self._ends[0]) + ASK
        taken = self._controller.take(int(asked), self._burst)
        self._taken, self._came = taken, taken + COMES

    def _finish(self, last: bool) -> None:
        """The words of a burst are used up; what is behind the last one of the region goes by itself."""
        if last and self._place < BURST:
            self._left = max(self._left + 1, self._came + self._place) + BURST - 1 - self._place
        self._ends.append(self._left)
        self._place = 0
        self._burst = self._region.first_burst if last else self._burst + 1

    def _skip(self, words: int, ready: int, done: int, cycles: NDArray[np.int64] | None) -> int:
        """Take whole bursts at once where they follow each other every eight cycles; how many words."""
        controller = self._controller
        start = max(controller.at, self._ends[0] + ASK)
        if controller.page != controller.page_of(self._burst) or controller.fresh or controller.due <= start:
            return 0
        first = max(self._left + 1, int(start) + COMES, ready)
        used_up = (*self._ends, first + BURST - 1)
        if any(end + ASK > start + BURST * n for n, end in enumerate(used_up)):
            return 0  # one of them waits for room
        bursts = min(
            words // BURST,
            self._region.last_burst - self._burst,
            (controller.due - int(start) - 1) // BURST + 1,
        )
        if bursts <= 0:
            return 0
        count = bursts * BURST
        if cycles is not None:
            cycles[done : done + count] = first + np.arange(count)
        self._burst += bursts
        controller.page = controller.page_of(self._burst)
        controller.at = int(start) + count
        self._taken = controller.at - BURST
        self._left = first + count - 1
        ahead = len(self._ends)
        self._ends.extend(self._left - BURST * n for n in reversed(range(min(bursts, ahead))))
        return count
