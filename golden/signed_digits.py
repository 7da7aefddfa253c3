"""Constants as the fewest signed powers of two: what a product with a constant costs in additions."""

from collections.abc import Iterable


def signed_digits(constant: int) -> list[tuple[int, int]]:
    """(position, +1 or -1) of the non-adjacent form of a constant of at least 0: the fewest signed digits.

    Source: Reitwiesner, "Binary arithmetic", Advances in Computers 1, 1960.
    """
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


def additions(constants: Iterable[int]) -> int:
    """Additions and subtractions of a sum of products with constants of at least 1."""
    return sum(len(signed_digits(constant)) for constant in constants) - 1
