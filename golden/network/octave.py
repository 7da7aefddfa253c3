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

import numpy as np
from numpy.typing import NDArray

from golden.code import PhaseCode, Spikes
from golden.trace import integer_root

ROOT_FRACTION_BITS = 10
LEAST_RESOLUTION = 16
# Below every level: the place of zero, which never fires
NOWHERE = -(1 << 14)


def resolution(log2_base: Fraction) -> int:
    """R, grid points per octave: the first multiple of b from 16 on."""
    b = log2_base.denominator
    return b * -(-LEAST_RESOLUTION // b)


def phase_step(code: PhaseCode) -> int:
    """Grid points by which the threshold falls in one time step: R*a/b."""
    return resolution(code.log2_base) * code.log2_base.numerator // code.log2_base.denominator


def roots(points: int) -> NDArray[np.int64]:
    """ROOT[0..R-1], exact: floor(x + 1/2) = floor((floor(2x) + 1) / 2)."""
    doubled = [integer_root(1 << (points * (ROOT_FRACTION_BITS + 1) + r), points) for r in range(points)]
    return np.array([(d + 1) >> 1 for d in doubled], dtype=np.int64)


def octave_code(values: NDArray[np.int64], points: int) -> NDArray[np.int64]:
    """L of |values|, int64; `NOWHERE` for zero.

    Args:
        values: below 2**62 in magnitude.
        points: R.
    """
    magnitude = np.abs(values)
    safe = np.maximum(magnitude, 1)
    # float64 may round an integer above 2**53 up into the next octave
    octave = np.frexp(safe.astype(np.float64))[1].astype(np.int64) - 1
    octave -= safe >> octave == 0
    mantissa = np.where(
        octave > ROOT_FRACTION_BITS,
        safe >> np.maximum(octave - ROOT_FRACTION_BITS, 0),
        safe << np.maximum(ROOT_FRACTION_BITS - octave, 0),
    )
    place = octave * points + np.searchsorted(roots(points), mantissa, side="right") - 1
    return np.where(magnitude > 0, place, NOWHERE)


def square(place: NDArray[np.int64], points: int) -> NDArray[np.int64]:
    """floor(ROOT[r] * 2**o / 2**M) with 2*L = o*R + r: the square of 2**(L/R), 0 at `NOWHERE`."""
    octave, residue = np.divmod(2 * np.maximum(place, 0), points)
    value = (roots(points)[residue] << octave) >> ROOT_FRACTION_BITS
    return np.where(place >= 0, value, 0)


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
    rising = levels[::-1]
    phase = code.steps - np.searchsorted(rising, place, side="right")
    sign = np.where(phase < code.steps, np.sign(values), 0)
    if not signed:
        sign = np.maximum(sign, 0)
    phase = np.where(sign != 0, phase, code.steps)
    return Spikes(sign.astype(np.int8), phase.astype(np.int8))


def geometric_levels(code: PhaseCode) -> NDArray[np.int64]:
    """Levels of the identity: 0 at phase 0, falling by one step of the base per phase."""
    return -phase_step(code) * np.arange(code.steps, dtype=np.int64)
