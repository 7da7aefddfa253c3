"""Trace-driven product against integer loops over every pair."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from golden.attention import product
from golden.attention.product import trace_product, transpose
from golden.code import PhaseCode, Spikes
from tests.golden.golden_cases import SEEDS, codes, examples, random_spikes


def by_definition(left: Spikes, right: Spikes, code: PhaseCode) -> list[list[int]]:
    """One [I, L] by [L, J] product in Python integers."""
    table = code.trace.tolist()
    (rows, length), columns = left.shape, right.shape[1]
    result = []
    for i in range(rows):
        result.append([0] * columns)
        for j in range(columns):
            for n in range(length):
                if left.sign[i, n] and right.sign[n, j]:
                    entry = table[int(left.phase[i, n]) + int(right.phase[n, j])]
                    result[i][j] += int(left.sign[i, n]) * int(right.sign[n, j]) * entry
    return result


@given(
    code=codes(),
    seed=SEEDS,
    batch=st.sampled_from([(), (1,), (3,), (2, 2)]),
    shape=st.tuples(st.integers(1, 5), st.integers(1, 20), st.integers(1, 5)),
    block=st.sampled_from([1, 100, product.BLOCK_FLOATS]),
)
@examples(150)
def test_equals_the_sum_over_pairs(
    code: PhaseCode, seed: int, batch: tuple[int, ...], shape: tuple[int, int, int], block: int
) -> None:
    rows, length, columns = shape
    rng = np.random.default_rng(seed)
    left = random_spikes(rng, (*batch, rows, length), code)
    right = random_spikes(rng, (*batch, length, columns), code)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(product, "BLOCK_FLOATS", block)  # small blocks split heads and phases
        result = trace_product(left, right, code)
    assert result.dtype == np.int64
    assert result.shape == (*batch, rows, columns)
    for at in np.ndindex(*batch):
        assert result[at].tolist() == by_definition(left[at], right[at], code)


@given(code=codes(), seed=SEEDS)
@examples(30)
def test_fewer_phases_on_the_left(code: PhaseCode, seed: int) -> None:
    rng = np.random.default_rng(seed)
    phases = int(rng.integers(1, code.steps + 1))
    late = random_spikes(rng, (4, 9), code)
    kept = late.phase < phases
    left = Spikes(np.where(kept, late.sign, 0), np.where(kept, late.phase, code.steps))
    right = random_spikes(rng, (9, 3), code)
    assert (trace_product(left, right, code, phases=phases) == trace_product(left, right, code)).all()


def test_one_operand_serves_many() -> None:
    code, rng = PhaseCode(), np.random.default_rng(1)
    left, right = random_spikes(rng, (5, 2, 3, 7), code), random_spikes(rng, (2, 7, 4), code)
    result = trace_product(left, right, code)
    assert result.shape == (5, 2, 3, 4)
    assert result[4, 1].tolist() == by_definition(left[4, 1], right[1], code)


@pytest.mark.parametrize("length", [256, 257, 1000])
def test_exact_on_both_sides_of_the_float32_limit(length: int) -> None:
    # 256 features of 2**16 reach 2**24, the last integer below which float32 skips none
    code = PhaseCode(steps=4, trace_bits=16)
    sign = np.ones((1, length), np.int8)
    phase = np.zeros((1, length), np.int8)
    phase[0, -1] = 1  # an odd entry at the end
    ones = Spikes(sign.T, np.zeros((length, 1), np.int8))
    entry = int(code.trace[1])
    assert entry % 2
    assert trace_product(Spikes(sign, phase), ones, code).tolist() == [[((length - 1) << 16) + entry]]
    assert trace_product(Spikes(-sign, phase), ones, code).tolist() == [[-((length - 1) << 16) - entry]]


def test_transpose_swaps_the_last_axes() -> None:
    spikes = random_spikes(np.random.default_rng(2), (2, 3, 4), PhaseCode())
    swapped = transpose(spikes)
    assert swapped.shape == (2, 4, 3)
    assert (swapped.phase[1, 2] == spikes.phase[1, :, 2]).all()
    assert (swapped.sign[0, 3] == spikes.sign[0, :, 3]).all()
