"""The table of prices against its source."""

from itertools import pairwise

import pytest

from energy import paper
from energy.prices import (
    access,
    add,
    and_gate,
    clock_cycle,
    external,
    float_add,
    float_multiply,
    multiply,
    register_bit,
)


def test_laws_meet_their_source() -> None:
    for price, picojoule in (
        (add(8), 0.03),
        (add(32), 0.1),
        (multiply(8, 8), 0.2),
        (access(64, 8 * 8 * 1024), 10.0),
        (access(64, 8 * 32 * 1024), 20.0),
        (access(64, 8 * 1024 * 1024), 100.0),
        (external(64), 1300.0),
        (float_add(), 0.9),
        (float_multiply(), 3.7),
    ):
        assert price.picojoule == pytest.approx(picojoule), price.operation
        assert price.standing == "quoted", price.operation
    # The law's number beside the source's
    assert multiply(32, 32).picojoule == pytest.approx(3.1, rel=0.04)
    for price in (add(9), multiply(8, 4), access(8, 8 * 8 * 1024), access(64, 1000)):
        assert price.standing == "scaled", price.operation


def test_more_costs_more() -> None:
    for prices in (
        [add(bits) for bits in range(1, 65)],
        [multiply(bits, 8) for bits in range(1, 33)],
        [access(8, 8 * 2**n) for n in range(4, 24)],
        [access(bits, 4096) for bits in range(1, 65)],
        [external(bits) for bits in range(1, 65)],
    ):
        picojoules = [price.picojoule for price in prices]
        assert all(a < b for a, b in pairwise(picojoules))


def test_what_no_source_has_is_called_so() -> None:
    assert and_gate().picojoule == register_bit().picojoule == add(1).picojoule
    assert and_gate().standing == register_bit().standing == "assumed"
    assert (register_bit(0.5).picojoule, register_bit(0.5).standing) == (0.5, "given")
    assert (clock_cycle(None).picojoule, clock_cycle(None).standing) == (None, "unknown")
    assert (clock_cycle(2.0).picojoule, clock_cycle(2.0).standing) == (2.0, "given")


def test_the_papers_own_prices_are_those_of_wide_words() -> None:
    """The authors quote the same source: floats of 32 bits, every access half of 64 bits of 8 KiB."""
    word = access(paper.WORD_BITS, 8 * 8 * 1024)
    pairs = ((paper.ADD, float_add()), (paper.MULTIPLY, float_multiply()), (paper.WORD, word))
    for own, price in pairs:
        assert own.picojoule == price.picojoule
        assert own.table != price.table
    assert paper.BIT.picojoule == 5.0 / 32
