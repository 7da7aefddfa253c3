"""Energies of integer units at any width and of memories of any size, from the named constants.

Adders grow linearly with the width, through the 8- and 32-bit constants; multipliers with the product
of the widths, from the 8-bit constant (0.2 * 16 = 3.2 pJ at 32 x 32, where the source has 3.1); the
energy of a bit read from a memory with a power of its size, between the sizes of the source and, with
the exponent 1/2 of a square array, below the smallest.
"""

from math import log

from energy.constants import HOROWITZ, INT8_ADD, INT8_MULTIPLY, INT32_ADD, MEMORY_READ, MEMORY_READ_BITS

SOURCE = f"scaled to the width or size by energy/units.py from {HOROWITZ}"
_ADD_SLOPE = (INT32_ADD.picojoule - INT8_ADD.picojoule) / (32 - 8)
# A write is charged like a read: the source has one number per access
SMALL_MEMORY_EXPONENT = 0.5


def add(bits: int) -> float:
    """pJ of adding, subtracting or comparing integers of `bits` bits."""
    return INT8_ADD.picojoule + _ADD_SLOPE * (bits - 8) if bits >= 8 else INT8_ADD.picojoule * bits / 8


def multiply(left_bits: int, right_bits: int) -> float:
    """pJ of multiplying integers."""
    return INT8_MULTIPLY.picojoule * left_bits * right_bits / 64


def access(bits: float, memory_bits: float) -> float:
    """pJ of reading or writing `bits` bits of a memory of `memory_bits` bits."""
    size = memory_bits / 8
    sizes = sorted(MEMORY_READ)
    per_bit = [MEMORY_READ[s].picojoule / MEMORY_READ_BITS for s in sizes]
    if size <= sizes[0]:
        return bits * per_bit[0] * (size / sizes[0]) ** SMALL_MEMORY_EXPONENT
    index = min(sum(size > s for s in sizes), len(sizes) - 1)
    low, high = sizes[index - 1], sizes[index]
    exponent = log(per_bit[index] / per_bit[index - 1]) / log(high / low)
    return bits * per_bit[index - 1] * (size / low) ** exponent
