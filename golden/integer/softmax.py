"""Softmax by a table of exponentials on the distance to the largest score, in integers.

With A = 2**bits - 1, the largest weight, and R = 64 steps per octave:

    weight[x] = floor(A * 2**(-x/R) + 1/2)                                 x = 0..1023
    x = min((min((distance << LEFT) >> shift, 2**13 - 1) * mantissa + 2**9) >> 10, 1023)

`mantissa` (8 bits) and `shift` are the distance of one step of the table in units of the score: a floating
multiplier, so that hardware multiplies 13 by 8 bits whatever the scales of a head.
"""

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from golden.errors import InputError

STEPS_PER_OCTAVE = 64
INDEX_BITS = 10
DISTANCE_BITS = 13
MANTISSA_BITS = 8
PRODUCT_SHIFT = 10
MAX_SHIFT = 15


def left_shift(bits: int) -> int:
    """LEFT: few bits make large units of the score, which are a fraction of a distance after it."""
    return 18 - 2 * bits


@lru_cache(maxsize=16)
def weights(bits: int) -> NDArray[np.int64]:
    """The table, int64 [1024], read-only."""
    x = np.arange(1 << INDEX_BITS)
    table = np.floor(((1 << bits) - 1) * 2.0 ** (-x / STEPS_PER_OCTAVE) + 0.5).astype(np.int64)
    table.flags.writeable = False
    return table


def exponent_step(alpha: float, bits: int) -> tuple[int, int]:
    """(mantissa, shift) of a head.

    Args:
        alpha: the real value (logit) of one score unit.
        bits: of a code.

    Raises:
        InputError: the scores are so large that units of them are more than the table can tell apart.
    """
    step = alpha * np.log2(np.e) * STEPS_PER_OCTAVE * 2.0 ** (PRODUCT_SHIFT - left_shift(bits))
    for shift in reversed(range(MAX_SHIFT + 1)):
        mantissa = int(np.floor(step * 2.0**shift + 0.5))
        if mantissa < 1 << MANTISSA_BITS:
            return mantissa, shift
    limit = ((1 << bits - 1) - 1) ** 2 * alpha * ((1 << MANTISSA_BITS) - 0.5) / step
    raise InputError(
        f"scale_q*scale_k/sqrt(head_dim) must be less than {limit:g} for {bits} bits, "
        f"not {alpha * ((1 << bits - 1) - 1) ** 2:g}"
    )


def weigh(
    distance: NDArray[np.int64], mantissa: NDArray[np.int64], shift: NDArray[np.int64], bits: int
) -> NDArray[np.int64]:
    """Weights of keys, 0..2**bits - 1.

    Args:
        distance: largest score of the row minus score, int64 [heads, I, J], at least 0.
        mantissa, shift: int64 [heads].
        bits: of a code.
    """
    # What is farther away ends at the last entry whatever the shift
    near = np.minimum(distance, 1 << DISTANCE_BITS + MAX_SHIFT)
    shifted = np.minimum((near << left_shift(bits)) >> shift[:, None, None], (1 << DISTANCE_BITS) - 1)
    product = shifted * mantissa[:, None, None] + (1 << PRODUCT_SHIFT - 1)
    return weights(bits)[np.minimum(product >> PRODUCT_SHIFT, (1 << INDEX_BITS) - 1)]
