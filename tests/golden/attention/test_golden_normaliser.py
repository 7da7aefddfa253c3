"""Output neuron: the threshold that carries the normaliser, by its definition."""

from decimal import Decimal, localcontext
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from golden.attention.normaliser import RATIO_WIDTH, fire_output, output_ratio
from golden.code import PhaseCode
from golden.errors import InputError
from tests.golden.golden_cases import NAMED_CODES, SEEDS, codes, examples


def first_phase(context: int, normaliser: int, ratio: list[int], code: PhaseCode) -> int:
    """First p with |U| << (16 + o) >= S * RATIO[r], T where there is none."""
    for p in range(code.steps):
        octaves, residue = divmod(code.log2_base.numerator * p, code.log2_base.denominator)
        if abs(context) << (16 + octaves) >= normaliser * ratio[residue]:
            return p
    return code.steps


@given(code=codes(), seed=SEEDS, log2_ratio=st.floats(-14.5, 2.0))
@examples(150)
def test_equals_the_scan_of_the_thresholds(code: PhaseCode, seed: int, log2_ratio: float) -> None:
    rng = np.random.default_rng(seed)
    heads, rows, features = rng.integers(1, 6, 3)
    tokens = int(rng.integers(1, 1025))
    normaliser = rng.integers(1, tokens << code.trace_bits, (heads, rows), endpoint=True)
    ratio = np.stack([output_ratio(2.0**log2_ratio, 1.0, code) for _ in range(heads)])
    size = code.base ** -rng.uniform(-1, code.steps + 1, (heads, rows, features)) * 2.0**log2_ratio
    context = np.rint(rng.choice([-1, 1], size.shape) * size * normaliser[..., None]).astype(np.int64)
    context = np.clip(context, -normaliser[..., None], normaliser[..., None])
    spikes = fire_output(context, normaliser, ratio, code)
    for h, i, n in np.ndindex(heads, rows, features):
        expected = first_phase(int(context[h, i, n]), int(normaliser[h, i]), ratio[h].tolist(), code)
        assert spikes.phase[h, i, n] == expected
        assert spikes.sign[h, i, n] == (np.sign(context[h, i, n]) if expected < code.steps else 0)


@pytest.mark.parametrize("code", NAMED_CODES.values(), ids=NAMED_CODES)
def test_contexts_at_each_threshold(code: PhaseCode) -> None:
    """The smallest context that fires at p, and the one below."""
    ratio = output_ratio(0.7, 1.0, code)
    normaliser = 123457
    contexts = [0]
    for p in range(code.steps):
        octaves, residue = code.octave(p)
        least = -(-normaliser * int(ratio[residue]) // 2 ** (16 + octaves))
        contexts += [least, least - 1, -least]
    spikes = fire_output(np.array([contexts]), np.array([normaliser]), ratio, code)
    expected = [first_phase(u, normaliser, ratio.tolist(), code) for u in contexts]
    assert spikes.phase[0].tolist() == expected
    assert set(expected) == set(range(code.steps + 1))


def test_first_phase_where_rounding_lifts_a_later_threshold() -> None:
    # RATIO = [3, 2, 2, 2, 2, 2, 2, 1]: phase 8 asks for 3/2, more than phase 7 with 1
    code = PhaseCode(log2_base=Fraction(1, 8))
    ratio = output_ratio(2.7 / 2**16 / code.threshold_shift, 1.0, code)
    assert ratio.tolist() == [3, 2, 2, 2, 2, 2, 2, 1]
    normaliser = 1 << 17
    spikes = fire_output(np.array([[2, 3, 1]]), np.array([normaliser]), ratio, code)
    assert spikes.phase[0].tolist() == [first_phase(u, normaliser, ratio.tolist(), code) for u in (2, 3, 1)]
    assert spikes.phase[0, 0] == 7


@given(code=codes(), log2_ratio=st.floats(-14.5, 2.0))
@examples(100)
def test_ratio_is_the_rounded_threshold(code: PhaseCode, log2_ratio: float) -> None:
    scale_o = 2.0**log2_ratio
    with localcontext(prec=60):
        root = Decimal(2) ** (Decimal(1) / code.log2_base.denominator)
        theta = (1 + 1 / root**code.log2_base.numerator) / 2
        for r, entry in enumerate(output_ratio(scale_o, 1.0, code).tolist()):
            exact = 2**16 * theta * Decimal(scale_o) / root**r
            assert abs(entry - exact) <= Decimal("0.5000001")
            assert 0 < entry < 2**RATIO_WIDTH


@pytest.mark.parametrize(
    ("scale_o", "shown"),
    [
        (32.0, "not 16 (scale_o 32, scale_v 2)"),
        (2.0**-16, "not 7.62939e-06 (scale_o 1.52588e-05, scale_v 2)"),
        (1e-100, "not 5e-101 (scale_o 1e-100, scale_v 2)"),
    ],
)
def test_ratio_out_of_range(scale_o: float, shown: str) -> None:
    with pytest.raises(InputError) as raised:
        output_ratio(scale_o, 2.0, PhaseCode())
    assert str(raised.value) == f"scale_o/scale_v must be in 2^-16..2^3, {shown}"
