"""The pauses of a run of the stochastic engine, known before it.

The same coins as in `sim/verilator/streams.h`, so what is predicted owes nothing to the run.
"""

import numpy as np
from numpy.typing import NDArray

# Streams in the order in which the simulator numbers them
STREAMS = ("i", "o")


def tosses(stream: str, seed: int, chance: float, count: int) -> NDArray[np.bool_]:
    """Whether the stream waits, toss after toss, in a run with this seed: SplitMix64."""
    with np.errstate(over="ignore"):
        z = np.uint64(seed << 16 | STREAMS.index(stream))
        z = z + np.arange(1, count + 1, dtype=np.uint64) * np.uint64(0x9E3779B97F4A7C15)
        z = (z ^ z >> np.uint64(30)) * np.uint64(0xBF58476D1CE4E5B9)
        z = (z ^ z >> np.uint64(27)) * np.uint64(0x94D049BB133111EB)
    return (z ^ z >> np.uint64(31)) >> np.uint64(32) < round(chance * 2**32)


def offered(seed: int, chance: float, columns: int) -> list[int]:
    """Cycles that pass, after the transfer before, until each input column is offered."""
    count = columns
    while True:
        going = np.flatnonzero(~tosses("i", seed, chance, count))
        if len(going) >= columns:
            return (np.diff(going[:columns], prepend=-1) - 1).tolist()
        count *= 2


def ready(seed: int, chance: float, cycles: int) -> list[bool]:
    """Whether an output column is taken, cycle for cycle."""
    return (~tosses("o", seed, chance, cycles)).tolist()
