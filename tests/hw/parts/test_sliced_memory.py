"""Memories in slices: what they hold, and how many block RAMs they need."""

from typing import Any

import numpy as np
import pytest
from amaranth.sim import Simulator

from hw.parts.memory import BLOCK_SHAPES
from hw.parts.sliced_memory import SlicedMemory, slices


def blocks(width: int, depth: int) -> int:
    return min(-(-width // wide) * -(-depth // deep) for wide, deep in BLOCK_SHAPES)


@pytest.mark.parametrize(
    ("width", "depth", "widths"),
    [
        # the stream of 64 and of 32 rows of 384 channels in a bank, lists of their spikes, offsets of norms
        (22, 12288, (18, 4)),
        (22, 6144, (18, 4)),
        (15, 49152, (9, 4, 2)),
        (12, 16384, (9, 2, 1)),
        # nothing is saved
        (18, 12288, (18,)),
        (22, 512, (22,)),
        (1, 1, (1,)),
    ],
)
def test_widths(width: int, depth: int, widths: tuple[int, ...]) -> None:
    assert slices(width, depth) == widths


def test_no_more_block_rams_than_a_whole_memory() -> None:
    """And no fewer than the bits need."""
    for width in range(1, 40):
        for depth in (16, 700, 1024, 3072, 5000, 24576):
            found = slices(width, depth)
            assert sum(found) == width
            count = sum(blocks(part, depth) for part in found)
            assert width * depth / (18 << 10) <= count <= blocks(width, depth)


def test_words_are_read_as_written() -> None:
    """Also in the cycle in which another word is written."""
    depth = 3072
    unit = SlicedMemory(22, depth)
    assert len(slices(22, depth)) == 2
    rng = np.random.default_rng(1)
    places, words = rng.permutation(depth)[:200], rng.integers(1 << 22, size=200)
    written = dict(zip(places.tolist(), words.tolist(), strict=True))
    read, write = unit.read_port(), unit.write_port()

    async def bench(context: Any) -> None:
        before: list[int] = []
        for place, word in written.items():
            context.set(write.addr, place)
            context.set(write.data, word)
            context.set(write.en, 1)
            if before:
                context.set(read.addr, before[-1])
            await context.tick()
            if before[1:]:
                assert context.get(read.data) == written[before[-2]]
            before.append(place)
        context.set(write.en, 0)
        context.set(write.data, 0)
        for place, word in written.items():
            context.set(read.addr, place)
            await context.tick()
            context.set(read.addr, 0)
            await context.tick()
            assert context.get(read.data) == word

    simulator = Simulator(unit)
    simulator.add_clock(1e-6)
    simulator.add_testbench(bench)
    simulator.run()
