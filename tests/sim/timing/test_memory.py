"""The cycle model of streamed words: what it skips is what comes word by word; `tests/hw/memory` holds it
against the RTL."""

import numpy as np
import pytest
from numpy.typing import NDArray

from golden.memory import ULX3S_SDRAM, MemoryConfig, Region
from sim.timing.memory import CyclicReads


class WordByWord(CyclicReads):
    def _skip(self, words: int, ready: int, done: int, cycles: NDArray[np.int64] | None) -> int:
        return 0


@pytest.mark.parametrize("seed", range(60))
def test_bursts_at_once_come_as_one_by_one(seed: int) -> None:
    rng = np.random.default_rng(seed)
    config = MemoryConfig(clock=float(rng.choice([25e6, 80e6, 100e6, 133e6])))
    region = Region(config.chip, int(rng.integers(400)) * 8, int(rng.integers(1, 3000)))
    ready = begins = int(rng.integers(50_000))
    depth = int(rng.choice([16, 32, 64]))
    fast, slow, last = (
        kind(config, region, begins, depth) for kind in (CyclicReads, WordByWord, CyclicReads)
    )
    for _ in range(4):
        words = int(rng.integers(1, 1500))
        cycles = fast.times(words, ready)
        assert np.array_equal(cycles, slow.times(words, ready))
        assert last.take(words, ready) == cycles[-1]
        ready = int(cycles[-1]) + int(rng.choice([0, 1, 8, 40, 2000]))


@pytest.mark.parametrize("clock", [50e6, 80e6, 100e6])
def test_long_reads_come_at_the_share_that_is_stated(clock: float) -> None:
    config = MemoryConfig(clock=clock)
    words = 1_000_000
    reads = CyclicReads(config, Region(ULX3S_SDRAM, 0, words))
    first = reads.take(1, 0)
    share = (words - 1) / (reads.take(words - 1, 0) - first)
    assert share == pytest.approx(config.share, rel=1e-3)
    assert share > 0.88
