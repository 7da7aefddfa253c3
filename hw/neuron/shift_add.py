"""Product with a constant as shifts and additions."""

from amaranth.hdl import Const, Value


def signed_digits(constant: int) -> list[tuple[int, int]]:
    """(position, +1 or -1) of the non-adjacent form: the fewest signed digits."""
    digits = []
    position = 0
    while constant:
        if constant & 1:
            digit = 2 - (constant & 3)
            digits.append((position, digit))
            constant -= digit
        constant >>= 1
        position += 1
    return digits


def times(value: Value, constant: int) -> Value:
    """value * constant without a multiplier."""
    total: Value = Const(0)
    for position, digit in signed_digits(constant):
        term = value << position
        total = total + term if digit > 0 else total - term
    return total
