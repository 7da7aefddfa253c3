"""Memories in parts of depth: which, what they hold, and that a port which is held keeps what it shows."""

from typing import Any

import numpy as np
import pytest
from amaranth.sim import Simulator

from hw.parts.deep_memory import DeepMemory, parts


def test_parts() -> None:
    assert parts(18432) == [16384, 2048]
    assert parts(1024 + 512 + 3) == [1024, 512, 3]
    assert (parts(512), parts(700), parts(1), parts(4096)) == ([512], [512, 188], [1], [4096])


@pytest.mark.parametrize("depth", [1, 5, 512, 513, 1024 + 512 + 3, 2048 + 1024 + 512 + 511])
def test_words_are_read_as_written(depth: int) -> None:
    """In any order, beside a write elsewhere; and a word stays while `en` is low."""
    unit, rng = DeepMemory(7, depth), np.random.default_rng(depth)
    read, write = unit.read_port(), unit.write_port()
    held = np.zeros(depth, np.int64)
    edges = [place for place in (0, 511, 512, 1023, 1024, 1535, 1536, depth - 1) if place < depth]

    async def bench(context: Any) -> None:
        shown = 0
        for _ in range(1500):
            at, place = (int(rng.choice([rng.integers(depth), *edges])) for _ in range(2))
            enabled, written, word = rng.random() < 0.7, at != place and rng.random() < 0.7, rng.integers(128)
            context.set(read.addr, at)
            context.set(read.en, int(enabled))
            context.set(write.addr, place)
            context.set(write.data, int(word))
            context.set(write.en, int(written))
            await context.tick()
            shown = int(held[at]) if enabled else shown
            if written:
                held[place] = word
            assert context.get(read.data) == shown

    simulator = Simulator(unit)
    simulator.add_clock(1e-6)
    simulator.add_testbench(bench)
    simulator.run()
