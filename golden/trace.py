"""The global trace: a value that starts at one and decays by the base B at every time step.

Source: SpikedAttention (NeurIPS 2024), section 3.2 "trace-driven matrix product". The table is
the specification of the global trace decay unit. B = 2**(a/b), so b steps of decay divide by
2**a exactly: b constants with one guard bit and a shift reproduce the rounded table without drift.
"""

from fractions import Fraction

import numpy as np
from numpy.typing import NDArray


def integer_root(value: int, degree: int) -> int:
    """floor(value ** (1/degree)), exact for integers of any size."""
    low, high = 0, 1 << (value.bit_length() // degree + 1)
    while low < high:
        middle = (low + high + 1) // 2
        if middle**degree <= value:
            low = middle
        else:
            high = middle - 1
    return low


def decay_constants(log2_base: Fraction, fraction_bits: int) -> list[int]:
    """The b constants of the decay unit: floor(2**fraction_bits * 2**(-r/b)), r = 0..b-1."""
    b = log2_base.denominator
    return [integer_root(1 << (b * fraction_bits - r), b) for r in range(b)]


def trace_table(log2_base: Fraction, fraction_bits: int, length: int) -> NDArray[np.int64]:
    """G[k] = floor(2**F * B**-k + 1/2), k = 0..length-1.

    Args:
        log2_base: a/b.
        fraction_bits: F.
        length: number of entries.

    Returns:
        int64 [length]. Exact: computed in integers from constants with one guard bit, since
        floor((floor(x) + h) / m) = floor((x + h) / m) for integers h and m.
    """
    a, b = log2_base.numerator, log2_base.denominator
    constants = decay_constants(log2_base, fraction_bits + 1)
    table = np.empty(length, dtype=np.int64)
    for k in range(length):
        octaves, residue = divmod(a * k, b)
        table[k] = (constants[residue] + (1 << octaves)) >> (octaves + 1)
    return table
