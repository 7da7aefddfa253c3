"""Mean of a row without a divider: the reciprocal of the width as a short constant.

    1/n = 2**-c * (1 + f),  c = ceil(log2 n),  f in [0, 1) rounded to k <= 24 bits
    mean = floor(sum * (1 + f) / 2**c + 1/2)

Hardware adds the sum once per set bit of f, in each cycle a bit, or a bit and a zero behind it; a width
that is a power of two has f = 0. The mean is off by at most 1/2 + max|x| * 2**-25, so by less than 3/4
of a unit for a stream of 24 bits.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

FRACTION_BITS = 24


@dataclass(frozen=True)
class Reciprocal:
    """1/n as (1 + fraction/2**bits) / 2**shift; `fraction` is odd or both are 0."""

    fraction: int
    bits: int
    shift: int


def reciprocal(width: int) -> Reciprocal:
    """The constant of a width. Rounded here: f to 24 bits, the nearest."""
    shift = (width - 1).bit_length()
    whole = ((1 << (shift + FRACTION_BITS + 1)) // width + 1) >> 1
    fraction, bits = whole - (1 << FRACTION_BITS), FRACTION_BITS
    while bits and not fraction & 1:
        fraction, bits = fraction >> 1, bits - 1
    return Reciprocal(fraction, bits, shift)


def row_mean(stream: NDArray[np.int64]) -> NDArray[np.int64]:
    """Mean over the last axis, int64.

    Args:
        stream: [..., width]; sums below 2**37 in magnitude.
    """
    constant = reciprocal(stream.shape[-1])
    scale = constant.shift + constant.bits
    product = stream.sum(axis=-1) * ((1 << constant.bits) + constant.fraction)
    return (product + ((1 << scale) >> 1)) >> scale
