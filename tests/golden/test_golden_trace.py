"""The trace table against exact rational arithmetic, for every base."""

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from golden.code import MAX_STEPS
from golden.trace import decay_constants, integer_root, trace_table
from tests.golden.golden_cases import ALL_BASES, NAMED_CODES


@pytest.mark.parametrize("base", ALL_BASES, ids=str)
def test_every_entry_is_the_rounded_power(base: Fraction) -> None:
    # G = floor(x + 1/2) with x = 2**(F - a*k/b) says 2G-1 <= 2x < 2G+1; both sides to the power b
    # are rational numbers.
    a, b = base.numerator, base.denominator
    for fraction_bits in range(4, 17):
        table = trace_table(base, fraction_bits, 2 * MAX_STEPS - 1)
        for k, entry in enumerate(table.tolist()):
            power = Fraction(2) ** (b * (fraction_bits + 1) - a * k)
            assert max(2 * entry - 1, 0) ** b <= power < (2 * entry + 1) ** b


def test_table_of_the_default_code() -> None:
    code = NAMED_CODES["T16-1/2"]
    assert code.trace.tolist()[:8] == [4096, 2896, 2048, 1448, 1024, 724, 512, 362]
    assert len(code.trace) == 31
    assert code.trace.dtype == np.int64
    with pytest.raises(ValueError, match="read-only"):
        code.trace[0] = 0


@pytest.mark.parametrize("base", ALL_BASES, ids=str)
def test_b_constants_with_a_guard_bit_give_the_table(base: Fraction) -> None:
    constants = decay_constants(base, 13)
    assert len(constants) == base.denominator
    for k, entry in enumerate(trace_table(base, 12, 100).tolist()):
        octaves, residue = divmod(base.numerator * k, base.denominator)
        assert entry == (constants[residue] + 2**octaves) // 2 ** (octaves + 1)


@given(st.integers(0, 2**200), st.integers(1, 8))
def test_integer_root(value: int, degree: int) -> None:
    root = integer_root(value, degree)
    assert root**degree <= value < (root + 1) ** degree
