"""Octave code: the place of an integer on a fine logarithmic scale, and the falling threshold on it.

A neuron that fires at the first phase p with |V| >= threshold[p] needs V only through its place among
the thresholds. With thresholds on the grid 2**(j/R), R a multiple of b, "the threshold falls" is a
subtraction, and so is every factor that moves a whole list: the scale of a channel (`offset`), the
deviation of a row (`shift`). The comparison stays exact for thresholds on the grid:

    ROOT[r] = floor(2**M * 2**(r/R) + 1/2),                      r = 0..R-1, M = 10
    L(x)    = max { o*R + r : x * 2**M >= ROOT[r] << o }          for integers x >= 1
    fire at the first p with  L(|V|) >= level[p] + offset + shift

This is the global trace with b refined to R: R constants and a shift, no logarithm is evaluated.
Rounded: ROOT (to 2**-11 of an octave's start), here.
"""

from fractions import Fraction
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from golden.code import PhaseCode, Spikes
from golden.trace import integer_root

ROOT_FRACTION_BITS = 10
LEAST_RESOLUTION = 16
# Octaves of integers that have a place, and of those whose square is taken: it fits 63 bits, shifted by M
MOST_OCTAVES, SQUARED_OCTAVES = 62, 26
# Integers that float64 holds exactly, and what it adds to an exponent
FLOAT_BITS, FLOAT_BIAS = 53, 1023
# Below every level: the place of zero, which never fires
NOWHERE = -(1 << 14)


def resolution(log2_base: Fraction) -> int:
    """R, grid points per octave: the first multiple of b from 16 on."""
    b = log2_base.denominator
    return b * -(-LEAST_RESOLUTION // b)


def phase_step(code: PhaseCode) -> int:
    """Grid points by which the threshold falls in one time step: R*a/b."""
    return resolution(code.log2_base) * code.log2_base.numerator // code.log2_base.denominator


@lru_cache(maxsize=64)
def roots(points: int) -> NDArray[np.int64]:
    """ROOT[0..R-1], exact: floor(x + 1/2) = floor((floor(2x) + 1) / 2)."""
    doubled = [integer_root(1 << (points * (ROOT_FRACTION_BITS + 1) + r), points) for r in range(points)]
    return constant(np.array([(d + 1) >> 1 for d in doubled], dtype=np.int64))


def constant(table: NDArray[Any]) -> NDArray[Any]:
    """A table that is kept, and that nobody may change."""
    table.flags.writeable = False
    return table


@lru_cache(maxsize=64)
def places(points: int) -> NDArray[np.int64]:
    """L of every magnitude below 2**62 by its octave and the M bits behind its first; `NOWHERE` before."""
    mantissa = np.arange(1 << ROOT_FRACTION_BITS, 2 << ROOT_FRACTION_BITS)
    within = np.searchsorted(roots(points), mantissa, side="right") - 1
    return constant(np.append(NOWHERE, np.arange(MOST_OCTAVES)[:, None] * points + within))


def octave_code(values: NDArray[np.int64], points: int) -> NDArray[np.int64]:
    """L of |values|, int64; `NOWHERE` for zero.

    Args:
        values: below 2**62 in magnitude.
        points: R.
    """
    magnitude = np.abs(values)
    if magnitude.size and magnitude.max() >= 1 << FLOAT_BITS:
        # float64 may round such an integer up into the next octave: the last bits, which no place needs, go
        last = np.int64((1 << (MOST_OCTAVES - FLOAT_BITS)) - 1)
        magnitude = np.where(magnitude >> FLOAT_BITS, magnitude & ~last, magnitude)
    # A float64 has its octave and the bits behind the first one side by side; those of zero come first
    index = np.ascontiguousarray(magnitude, dtype=np.float64).view(np.int64)
    index >>= FLOAT_BITS - 1 - ROOT_FRACTION_BITS
    index -= (FLOAT_BIAS << ROOT_FRACTION_BITS) - 1
    return places(points).take(index, mode="clip")


@lru_cache(maxsize=64)
def squares(points: int) -> NDArray[np.int64]:
    """floor(ROOT[r] * 2**o / 2**M) with 2*L = o*R + r, L = 0, 1, ...; 0 before."""
    octave, residue = np.divmod(2 * np.arange(points * SQUARED_OCTAVES), points)
    return constant(np.append(0, (roots(points)[residue] << octave) >> ROOT_FRACTION_BITS))


def square(place: NDArray[np.int64], points: int) -> NDArray[np.int64]:
    """The square of 2**(L/R), 0 at `NOWHERE`, of places of integers below 2**26; see `squares`."""
    return squares(points).take(place + 1, mode="clip")


def fire(
    values: NDArray[np.int64],
    levels: NDArray[np.int64],
    offset: NDArray[np.int64],
    code: PhaseCode,
    *,
    signed: bool,
) -> Spikes:
    """Encode potentials: first phase p with L(|V|) >= levels[p] + offset.

    Args:
        values: V, int64.
        levels: int64 [T], falling; `offset` is broadcastable to `values`.
        signed: negative potentials fire with sign -1; otherwise they stay silent.
    """
    place = octave_code(values, resolution(code.log2_base)) - offset
    # From one place below the last level on; before it all are silent, behind the first one phase is 0
    place -= levels[-1] - 1
    within = np.arange(levels[-1] - 1, 1)
    phases = (code.steps - np.searchsorted(levels[::-1], within, side="right")).astype(np.int8)
    phase = phases.take(place, mode="clip")
    sign = (values > 0).view(np.int8) - (values < 0 if signed else False)
    silent = np.int8(code.steps)
    if not signed:
        phase = np.where(sign, phase, silent)
    return Spikes(np.where(phase < silent, sign, np.int8(0)), phase)


def geometric_levels(code: PhaseCode) -> NDArray[np.int64]:
    """Levels of the identity: 0 at phase 0, falling by one step of the base per phase."""
    return -phase_step(code) * np.arange(code.steps, dtype=np.int64)
