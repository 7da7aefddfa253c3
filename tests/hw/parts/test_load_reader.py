"""Blocks of pieces on a narrow load stream become words of the memories."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest
from amaranth.lib import data
from numpy.typing import NDArray

from hw.export.verilog import export
from hw.parts.load_reader import PIECE_BITS, LoadReader
from sim.verilator.build import build_verilog
from sim.verilator.simulator import Simulator

PIECES, ADDRESS_BITS = 5, 6
HEADER = data.StructLayout({"memory": 3, "last_piece": 8, "cluster": 4})
WORD = data.StructLayout(
    {"memory": 3, "cluster": 4, "address": ADDRESS_BITS, "data": data.ArrayLayout(PIECE_BITS, PIECES)}
)
STORE, WIDE = 5, 8
PAUSES = (0.0, 0.4)
BLOCKS = 60


def load_reader() -> LoadReader:
    return LoadReader(HEADER, WORD)


def storing_reader() -> LoadReader:
    """With streamed weights."""
    return LoadReader(HEADER, WORD, STORE, WIDE)


@dataclass
class Load:
    """Pieces, the fields of the words that leave, the last piece of each, and streamed words."""

    pieces: NDArray[np.int64]
    words: dict[str, NDArray[np.int64]]
    ends: NDArray[np.int64]
    stored: NDArray[np.int64]


def load(rng: np.random.Generator, store: bool) -> Load:
    """Blocks of any memories, some of which fill one."""
    pieces: list[int] = []
    stored: list[int] = []
    ends: list[int] = []
    words: dict[str, list[Any]] = {name: [] for name in ("memory", "cluster", "address", "data")}
    for _ in range(BLOCKS):
        memory, cluster = int(rng.integers(8)), int(rng.integers(16))
        count = int(rng.choice([1, 2, rng.integers(3, 20), 1 << ADDRESS_BITS]))
        per_word = int(rng.integers(1, PIECES + 1))
        pieces += [memory | per_word - 1 << 3 | cluster << 11, count]
        if store and memory == STORE:
            block = rng.integers(1 << WIDE, size=count)
            stored += block.tolist()
            padded = np.append(block, rng.integers(1 << WIDE, size=-count % 4)).reshape(-1, 4)
            pieces += (padded << WIDE * np.arange(4)).sum(axis=1).tolist()
            continue
        block = rng.integers(1 << PIECE_BITS, size=(count, per_word))
        ends += (len(pieces) - 1 + per_word * (1 + np.arange(count))).tolist()
        pieces += block.reshape(-1).tolist()
        words["memory"] += [memory] * count
        words["cluster"] += [cluster] * count
        words["address"] += range(count)
        words["data"] += np.pad(block, ((0, 0), (0, PIECES - per_word)), constant_values=-1).tolist()
    arrays = {name: np.array(values) for name, values in words.items()}
    return Load(np.array(pieces), arrays, np.array(ends), np.array(stored))


def check(simulator: Simulator, seed: int, pauses: float, store: bool = False) -> None:
    """Words come as they were sent, a cycle after their last piece; where one has no piece, anything may be.

    Raises:
        AssertionError, SimulationError: something is not as it must be.
    """
    sent = load(np.random.default_rng(seed), store)
    expected = {"o": len(sent.words["memory"])} | ({"o_store": len(sent.stored)} if store else {})
    how = {"i": pauses} | ({"o_store": pauses} if store else {})
    result = simulator.run({"i": sent.pieces}, expected, pauses=how, seed=seed)
    for name in ("memory", "cluster", "address"):
        np.testing.assert_array_equal(result["o"][name], sent.words[name])
    there = sent.words["data"] >= 0
    np.testing.assert_array_equal(result["o"]["data"][there], sent.words["data"][there])
    if store:
        np.testing.assert_array_equal(result["o_store"], sent.stored)
    np.testing.assert_array_equal(result.outputs["o"].cycles, result.accepted["i"][sent.ends] + 1)


@pytest.mark.parametrize("store", [False, True])
def test_words_come_as_they_were_sent(store: bool) -> None:
    verilog, manifest = export(storing_reader() if store else load_reader(), "load_reader")
    simulator = build_verilog(verilog, manifest, quick=True)
    for seed, pauses in enumerate(PAUSES):
        check(simulator, seed, pauses, store)
