"""Integer attention against a literal twin in plain integers, and against softmax in floats."""

from dataclasses import replace
from fractions import Fraction
from math import floor, log2, sqrt

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from golden.attention.exact import softmax_attention
from golden.errors import InputError
from golden.integer.job import IntegerJob, compute, decode_outputs, prepare
from golden.integer.softmax import exponent_step, weigh, weights
from tests.golden.golden_cases import SEEDS, examples

BITS = st.integers(2, 8)


def random_job(seed: int, bits: int) -> IntegerJob:
    rng = np.random.default_rng(seed)
    heads, tokens, features = rng.integers(1, 4), rng.integers(1, 7), rng.integers(1, 6)
    limit = 2 ** (bits - 1) - 1
    allowed = rng.random((heads, tokens, tokens)) < 0.7
    allowed |= np.eye(tokens, dtype=bool)
    q, k, v = rng.integers(-limit, limit + 1, (3, heads, tokens, features))
    return IntegerJob(
        bits=bits,
        q=q,
        k=k,
        v=v,
        bias=rng.integers(-500, 501, allowed.shape) if rng.random() < 0.5 else None,
        allowed=allowed if rng.random() < 0.5 else None,
        mantissa=rng.integers(0, 256, heads),
        shift=rng.integers(0, 16, heads),
        ratio=rng.integers(4, 2**15, heads),
    )


@given(seed=SEEDS, bits=BITS)
@examples(60)
def test_equals_its_literal_twin(seed: int, bits: int) -> None:
    """The formulas of the two modules, one integer at a time."""
    job = random_job(seed, bits)
    found = compute(job)
    limit = 2 ** (bits - 1) - 1
    table = [floor(Fraction((2**bits - 1) * 2.0 ** (-x / 64)) + Fraction(1, 2)) for x in range(1024)]
    for h in range(job.heads):
        for i in range(job.tokens):
            keys = [j for j in range(job.tokens) if job.allowed is None or job.allowed[h, i, j]]
            score = {
                j: sum(int(a) * int(b) for a, b in zip(job.q[h, i], job.k[h, j], strict=True))
                + (0 if job.bias is None else int(job.bias[h, i, j]))
                for j in keys
            }
            weight = dict.fromkeys(range(job.tokens), 0)
            for j in keys:
                distance = max(score.values()) - score[j]
                assert found.distance[h, i, j] == distance
                shifted = min(distance * 2 ** (18 - 2 * bits) // 2 ** int(job.shift[h]), 8191)
                weight[j] = table[min((shifted * int(job.mantissa[h]) + 512) // 1024, 1023)]
            assert found.weight[h, i].tolist() == list(weight.values())
            normaliser = sum(weight.values())
            assert found.normaliser[h, i] == normaliser
            divisor = normaliser * int(job.ratio[h]) // 2**bits
            for l in range(job.head_dim):  # noqa: E741
                context = sum(weight[j] * int(job.v[h, j, l]) for j in keys)
                assert found.context[h, i, l] == context
                size = min(limit, (abs(context) * 2 ** (12 - bits) + divisor // 2) // divisor)
                assert found.out[h, i, l] == (size if context >= 0 else -size)


@pytest.mark.parametrize(("bits", "most"), [(8, 0.04), (6, 0.13), (4, 0.6)])
def test_approximates_softmax(bits: int, most: float) -> None:
    q, k, v = np.random.default_rng(1).standard_normal((3, 2, 64, 32))
    exact, _ = softmax_attention(q, k, v)
    job, scales = prepare(q, k, v, bits)
    for out in decode_outputs(job, compute(job), scales):
        assert np.linalg.norm(out - exact) < most * np.linalg.norm(exact)


def test_weights_are_exponentials() -> None:
    """Within half a unit of rounding, and what rounding of index, step and distance does."""
    distance = np.arange(0, 3000, 7)[None, None]
    alpha = 0.004
    mantissa, shift = exponent_step(alpha, 8)
    found = weigh(distance, np.array([mantissa]), np.array([shift]), 8)
    exact = 255 * np.exp(-alpha * distance)
    assert np.abs(found - exact).max() < 0.5 + 255 * 0.01
    assert (np.diff(found[0, 0]) <= 0).all()
    assert found[0, 0, 0] == 255


@pytest.mark.parametrize("bits", range(2, 9))
def test_no_key_is_too_far_away_for_the_table(bits: int) -> None:
    """Its last entry is zero, and the saturated distance of any normal step leads beyond the last weight."""
    table = weights(bits)
    assert table[0] == 2**bits - 1
    assert table[-1] == 0
    assert table[min((8191 * 128 + 512) >> 10, 1023)] == 0


@given(exponent=st.floats(-18, -1), bits=BITS)
@examples(60)
def test_step(exponent: float, bits: int) -> None:
    """To half a unit of eight bits of what it stands for, unless it is tiny."""
    alpha = 2.0**exponent / 4.0 ** (bits - 8) * 2.0**-10
    mantissa, shift = exponent_step(alpha, bits)
    step = mantissa * 2.0 ** (18 - 2 * bits - shift - 10)
    assert 0 <= mantissa < 256
    assert abs(step - alpha * log2(np.e) * 64) <= step / 256 or shift == 15


def test_largest_step() -> None:
    exponent_step(0.0053, 8)
    with pytest.raises(
        InputError,
        match=r"scale_q\*scale_k/sqrt\(head_dim\) must be less than 174.\d+ for 8 bits, not 483.87",
    ):
        exponent_step(0.03, 8)


def test_codes_are_symmetric() -> None:
    q = np.array([[[-2.0, 2.0, 0.0, 0.49 * 2 / 127]]])
    job, scales = prepare(q, q, q, 8)
    assert job.q.tolist() == [[[-127, 127, 0, 0]]]
    assert scales.q == [2.0]
    beyond, _ = prepare(q, q, q, 8, scale_q=[1.0])
    assert beyond.q.tolist() == [[[-127, 127, 0, 1]]]


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"bits": 9}, "bits must be an integer in 2..8, not 9"),
        ({"scale_o": [1e9]}, "scale_o/scale_v must be in 2^-10..2^3, not"),
        ({"mask": np.zeros(3, bool)}, "mask must allow at least one key in each row"),
        ({"k": np.ones((1, 3, 5))}, "k must have the shape of q"),
        ({"q": np.full((1, 3, 4), np.nan)}, "q must be finite"),
    ],
)
def test_bad_input(changes: dict, message: str) -> None:
    given = {"bits": 8} | {name: np.ones((1, 3, 4)) for name in "qkv"} | changes
    with pytest.raises(InputError, match=message.replace("^", r"\^")):
        prepare(**given)


def test_masked_keys_take_no_part() -> None:
    q, k, v = np.random.default_rng(1).standard_normal((3, 1, 5, 4))
    mask = np.array([True, True, True, True, False])
    job, _ = prepare(q, k, v, 8, mask=mask)
    other_k, other_v = k.copy(), v.copy()
    other_k[:, 4], other_v[:, 4] = np.inf, np.nan
    again, _ = prepare(q, other_k, other_v, 8, mask=mask)
    assert (compute(job).out == compute(again).out).all()
    biased, _ = prepare(q, k, v, 8, bias=np.where(mask, 0.0, -np.inf)[None, None].repeat(5, 1))
    assert (compute(biased).out == compute(job).out).all()
    assert (compute(job).weight[..., 4] == 0).all()
    assert compute(replace(job, allowed=None)).weight[..., 4].any()


def test_score_unit() -> None:
    """A distance of one octave halves the weight."""
    d, bits = 16, 8
    limit = 127
    alpha = 3.0 * 2.0 / sqrt(d) / limit**2
    mantissa, shift = exponent_step(alpha, bits)
    octave = round(np.log(2) / alpha)
    assert weigh(np.array([[[octave]]]), np.array([mantissa]), np.array([shift]), bits)[0, 0, 0] in (127, 128)
