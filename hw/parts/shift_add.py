"""Product with a constant as shifts and additions."""

from amaranth.hdl import Value

from golden.signed_digits import signed_digits


def times(value: Value, constant: int) -> Value:
    """value * constant, at least 1, without a multiplier."""
    # The highest digit is always positive
    (highest, _), *rest = reversed(signed_digits(constant))
    total = value << highest
    for position, digit in rest:
        term = value << position
        total = total + term if digit > 0 else total - term
    return total
