"""Bits of counts and indices: the one rule for widths that golden states and hardware builds."""


def bits_for(largest: int) -> int:
    """Bits of a number in 0..largest, at least one."""
    return max(1, largest.bit_length())


def index_width(count: int) -> int:
    """Bits of an index in 0..count-1, at least one (a range of one would be zero bits wide)."""
    return bits_for(count - 1)
