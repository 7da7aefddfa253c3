"""Dependence between two draws of one shift register, exactly.

All bits of all draws are linear functions of one state over GF(2). Two groups of bits are independent,
every pattern of all of them equally often over the cycle (but for the state zero, which never occurs), if
and only if no exclusive-or of some of them is constant: if their functions are linearly independent.

A relation that reaches j bits deep into one draw and i into another, counted from the upper end, moves the
probability that both lie below given thresholds by at most 2**-(i+j): below a threshold the upper j - 1
bits leave one interval of 2**-(j-1) undecided, and bit j divides that. So shallow relations count, and a
pair of draws is taken as independent here when none is shallower than DEPTH in all. Draws whose bits
overlap are the simplest relation: with a leap of 1 bit 2 of one is bit 1 of the next.
"""

from functools import cache

import numpy as np
from numpy.typing import NDArray

from golden.stochastic.lfsr import run, shift

# Bits in all, of any two draws up to REACH draws apart, that have no relation
DEPTH, REACH = 8, 4096


@cache
def dependent_distance(width: int, leap: int, draw_bits: int, draws: int) -> int | None:
    """How many draws apart the nearest dependent draws of a generator are.

    Args:
        width: of the register.
        leap: shifts between two draws.
        draw_bits: upper bits of a state that make a draw.
        draws: of the generator in all; those more than REACH apart are not looked at.

    Returns:
        The distance, or None where all draws in reach are independent: for every j, the upper j bits of
        one and the upper DEPTH - j of the other have no relation.
    """
    distances = min(draws - 1, REACH)
    if distances < 1:
        return None
    depth = min(DEPTH, 2 * draw_bits)
    # Bit i from the upper end of the draw at state s is the uppermost bit of the state i shifts after s, so
    # the states after 0..i shifts stand for the functions of the bits: a relation holds for both or neither
    first = [1]
    for _ in range(depth - 1):
        first.append(shift(first[-1], width))
    later = run(width, first, leap, distances + 1)[1:]
    dependent = np.zeros(distances, dtype=np.bool_)
    for j in range(max(1, depth - draw_bits), min(draw_bits, depth - 1) + 1):
        own = np.broadcast_to(np.array(first[:j], dtype=np.uint64), (distances, j))
        dependent |= _rank_is_short(np.hstack([own, later[:, : depth - j]]))
    return int(dependent.argmax()) + 1 if dependent.any() else None


def _rank_is_short(vectors: NDArray[np.uint64]) -> NDArray[np.bool_]:
    """Whether the vectors uint64 [cases, vectors], a bit per place, are linearly dependent: bool [cases]."""
    vectors = vectors.copy()
    dependent = np.zeros(len(vectors), dtype=np.bool_)
    for n in range(vectors.shape[1]):
        pivot = vectors[:, n : n + 1]
        dependent |= pivot[:, 0] == 0
        lowest = pivot & (~pivot + np.uint64(1))
        rest = vectors[:, n + 1 :]
        rest ^= np.where(rest & lowest, pivot, np.uint64(0))
    return dependent
