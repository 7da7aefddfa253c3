"""When streamed weights are there: the closed form beside a count of every cycle."""

import numpy as np
import pytest

from golden.network.reader import SDRAM, ReaderTiming
from sim.timing.weights import FullRate, PacedReader, WeightTiming

START = 100


def counted(timing: ReaderTiming, jobs: list[tuple[int, int]]) -> list[tuple[int, int]]:
    """First and last cycle of jobs of (cycles of rest before, words), cycle by cycle."""
    cycle, level, found = START, 0, []
    for rest, words in jobs:
        first, got = cycle + rest, 0
        while got < words:
            since = cycle - START - timing.latency
            place = since % timing.period - timing.gap
            comes = since >= 0 and place >= 0 and place % timing.interval == 0 and level < timing.queue
            taken = cycle >= first and level > 0
            level, got, cycle = level + comes - taken, got + taken, cycle + 1
        found.append((first, cycle - 1))
    return found


@pytest.mark.parametrize("seed", range(100))
def test_a_paced_reader(seed: int) -> None:
    rng = np.random.default_rng(seed)
    period = int(rng.integers(1, 30))
    timing = ReaderTiming(
        latency=int(rng.integers(20)), interval=int(rng.integers(1, 5)), period=period,
        gap=int(rng.integers(period)), queue=int(rng.integers(2, 20)),
    )  # fmt: skip
    jobs = [(int(rng.integers(60)), int(rng.integers(1, 80))) for _ in range(8)]
    reader = PacedReader(timing, START)
    for (first, last), (_, words) in zip(counted(timing, jobs), jobs, strict=True):
        assert reader.take(words, first) == last


def test_share_of_an_sdram() -> None:
    """Of sequential reads, the refreshes counted."""
    words = 1_000_000
    reader = PacedReader(SDRAM, 0)
    assert reader.take(words, 0) == pytest.approx(words / SDRAM.share, rel=1e-3)
    assert SDRAM.share > 0.98


def test_a_pass_is_loaded_while_the_one_before_works() -> None:
    """Two are loaded at once, the third when the first has been read; a slow memory is waited for."""
    timing, fetched = WeightTiming(FullRate(), [10, 20, 30], 0), []
    assert timing.ready(0) == 10  # words 0..9
    timing.freed(200)
    timing.note("first", 11, 200, 150, True, fetched)
    assert timing.ready(500) == 500  # words 10..29, long there
    timing.freed(600)
    timing.note("first", 11, 600, 70, False, fetched)
    assert timing.ready(0) == 232  # 202..231
    timing.note("second", 232, 240, 8, True, fetched)
    assert [(layer.words, layer.memory, layer.lanes, layer.waited) for layer in fetched] == [
        (30, 30, 220, 10),
        (30, 30, 8, 232),
    ]
    assert [layer.bound for layer in fetched] == ["lanes", "memory"]
