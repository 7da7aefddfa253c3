"""Linear-feedback shift registers of maximal length, and their states any number of shifts ahead.

A register of W bits shifts left; the bit that enters is the parity of the tapped bits:

    s[m] = s[m - tap_1] ^ s[m - tap_2] ^ ...        bit i of the state after m shifts is s[m - i]

A shift is linear over GF(2), so n shifts are one matrix (`shift_matrix`): golden jumps with it,
and the hardware is wired by its rows. The state never becomes zero unless it starts there.
"""

from collections.abc import Sequence
from functools import cache

import numpy as np
from numpy.typing import NDArray

from golden.code import check_range
from golden.errors import InputError, quoted

# Taps of one polynomial of maximal length per width, from Xilinx XAPP 052, table 3. Of a polynomial
# and its reciprocal the one with the longer taps stands here: looking ahead costs fewer gates.
TAPS: dict[int, tuple[int, ...]] = {
    3: (3, 2), 4: (4, 3), 5: (5, 3), 6: (6, 5), 7: (7, 6), 8: (8, 6, 5, 4), 9: (9, 5), 10: (10, 7),
    11: (11, 9), 12: (12, 11, 8, 6), 13: (13, 12, 10, 9), 14: (14, 13, 11, 9), 15: (15, 14),
    16: (16, 15, 13, 4), 17: (17, 14), 18: (18, 11), 19: (19, 18, 17, 13), 20: (20, 17), 21: (21, 19),
    22: (22, 21), 23: (23, 18), 24: (24, 23, 22, 17), 25: (25, 22), 26: (26, 25, 24, 20),
    27: (27, 26, 25, 22), 28: (28, 25), 29: (29, 27), 30: (30, 29, 26, 24), 31: (31, 28),
    32: (32, 31, 30, 10), 33: (33, 20), 34: (34, 33, 32, 7), 35: (35, 33), 36: (36, 25),
    37: (37, 36, 35, 34, 33, 32), 38: (38, 37, 33, 32), 39: (39, 35), 40: (40, 38, 21, 19), 41: (41, 38),
    42: (42, 41, 20, 19), 43: (43, 42, 38, 37), 44: (44, 43, 18, 17), 45: (45, 44, 42, 41),
    46: (46, 45, 26, 25), 47: (47, 42), 48: (48, 47, 21, 20), 49: (49, 40), 50: (50, 49, 24, 23),
    51: (51, 50, 36, 35), 52: (52, 49), 53: (53, 52, 38, 37), 54: (54, 53, 18, 17), 55: (55, 31),
    56: (56, 55, 35, 34), 57: (57, 50), 58: (58, 39), 59: (59, 58, 38, 37), 60: (60, 59),
    61: (61, 60, 46, 45), 62: (62, 61, 6, 5), 63: (63, 62), 64: (64, 63, 61, 60),
}  # fmt: skip
MIN_WIDTH, MAX_WIDTH = min(TAPS), max(TAPS)

# A matrix over GF(2): entry i is the image of the state with only bit i set
Matrix = tuple[int, ...]


def check_width(name: str, width: object) -> None:
    """Raise InputError unless a polynomial of maximal length is known for `width`."""
    if type(width) is not int or width not in TAPS:
        raise InputError(
            f"{name} must be a width with a known maximal polynomial, {MIN_WIDTH}..{MAX_WIDTH}, "
            f"not {quoted(width)}"
        )


def check_seed(name: str, seed: object, width: int) -> None:
    """Raise InputError unless `seed` is in 1..2**width - 1; as a state, zero would never be left."""
    check_range(name, seed, 1, period(width))


def period(width: int) -> int:
    """Number of states in the one cycle of a maximal register: all but zero."""
    return (1 << width) - 1


def shift(state: int, width: int) -> int:
    """The state after one shift; the definition that everything else here speeds up."""
    entering = 0
    for tap in TAPS[width]:
        entering ^= state >> (tap - 1) & 1
    return (state << 1 | entering) & period(width)


def transform(matrix: Matrix, state: int) -> int:
    """The image of one state."""
    image = 0
    for bit, column in enumerate(matrix):
        if state >> bit & 1:
            image ^= column
    return image


def product(left: Matrix, right: Matrix) -> Matrix:
    """The matrix that applies `right`, then `left`."""
    return tuple(transform(left, column) for column in right)


@cache
def shift_matrix(width: int, shifts: int) -> Matrix:
    """The matrix of `shifts` shifts, shifts >= 0."""
    if shifts == 0:
        return tuple(1 << bit for bit in range(width))
    if shifts == 1:
        return tuple(shift(1 << bit, width) for bit in range(width))
    half = shift_matrix(width, shifts // 2)
    whole = product(half, half)
    return product(shift_matrix(width, 1), whole) if shifts % 2 else whole


def rows(matrix: Matrix) -> tuple[int, ...]:
    """Entry b selects the bits of the old state whose parity is bit b of the new one."""
    return tuple(
        sum((column >> bit & 1) << i for i, column in enumerate(matrix)) for bit in range(len(matrix))
    )


def transform_all(matrix: Matrix, states: NDArray[np.uint64]) -> NDArray[np.uint64]:
    """The images of many states, by one table look-up per byte."""
    image = np.zeros_like(states)
    for low in range(0, len(matrix), 8):
        columns = matrix[low : low + 8]
        table = np.zeros(1, dtype=np.uint64)
        for column in columns:
            table = np.concatenate([table, table ^ np.uint64(column)])
        image ^= table[(states >> np.uint64(low)) & np.uint64(len(table) - 1)]
    return image


def run(width: int, starts: Sequence[int], shifts: int, count: int) -> NDArray[np.uint64]:
    """States of several registers at every multiple of `shifts`.

    Args:
        width: bits of each register.
        starts: their states at row 0.
        shifts: shifts from row to row.
        count: rows.

    Returns:
        uint64 [count, registers]; built by doubling, log2(count) passes.
    """
    states = np.empty((max(count, 1), len(starts)), dtype=np.uint64)
    states[0] = np.array(starts, dtype=np.uint64)
    matrix, known = shift_matrix(width, shifts), 1
    while known < count:
        fresh = min(known, count - known)
        states[known : known + fresh] = transform_all(matrix, states[:fresh])
        matrix, known = product(matrix, matrix), known + fresh
    return states[:count]
