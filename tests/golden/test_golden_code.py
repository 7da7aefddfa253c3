"""One-spike phase code: thresholds, saturation, silence, symmetry, and the range of its parameters."""

from fractions import Fraction
from typing import Any

import numpy as np
import pytest
from hypothesis import given

from golden.code import PhaseCode, decode, encode
from golden.errors import InputError
from tests.golden.golden_cases import NAMED_CODES, SEEDS, codes, examples, random_spikes


@given(code=codes(), seed=SEEDS)
@examples(100)
def test_a_value_fires_at_the_first_threshold_it_reaches(code: PhaseCode, seed: int) -> None:
    rng = np.random.default_rng(seed)
    scale = float(2.0 ** rng.uniform(-8, 8))
    values = scale * rng.choice([-1, 1], 60) * code.base ** -rng.uniform(-2, code.steps + 1, 60)
    spikes = encode(values, scale, code)
    thresholds = code.threshold_shift * code.base ** -np.arange(code.steps, dtype=float)
    for value, sign, phase in zip(values, spikes.sign, spikes.phase, strict=True):
        reached = [p for p in range(code.steps) if abs(value) / scale >= thresholds[p]]
        assert phase == (reached[0] if reached else code.steps)
        assert sign == (np.sign(value) if reached else 0)


@given(code=codes())
@examples(50)
def test_threshold_is_the_midpoint_between_neighbours(code: PhaseCode) -> None:
    level = code.base ** -np.arange(code.steps, dtype=float)
    if code.steps > 1:
        middle = (level[:-1] + level[1:]) / 2
        assert encode(middle * (1 + 1e-9), 1.0, code).phase.tolist() == list(range(code.steps - 1))
        assert encode(middle * (1 - 1e-9), 1.0, code).phase.tolist() == list(range(1, code.steps))
    # On the threshold itself the neuron fires
    assert encode(code.threshold_shift * level, 1.0, code).phase.tolist() == list(range(code.steps))
    last = code.threshold_shift * level[-1]
    assert encode([last * (1 + 1e-9), last * (1 - 1e-9)], 1.0, code).sign.tolist() == [1, 0]


@given(code=codes(), seed=SEEDS)
@examples(50)
def test_codes_come_back(code: PhaseCode, seed: int) -> None:
    spikes = random_spikes(np.random.default_rng(seed), (50,), code)
    again = encode(decode(spikes, 3.7, code), 3.7, code)
    assert (again.sign == spikes.sign).all()
    assert (again.phase == spikes.phase).all()


@given(code=codes(), seed=SEEDS)
@examples(50)
def test_sign_changes_nothing_but_the_sign(code: PhaseCode, seed: int) -> None:
    values = np.random.default_rng(seed).standard_normal(50)
    plus, minus = encode(values, 0.5, code), encode(-values, 0.5, code)
    assert (plus.sign == -minus.sign).all()
    assert (plus.phase == minus.phase).all()
    assert (decode(plus, 0.5, code) == -decode(minus, 0.5, code)).all()


@pytest.mark.parametrize("code", NAMED_CODES.values(), ids=NAMED_CODES)
def test_saturation_and_silence(code: PhaseCode) -> None:
    spikes = encode([1e30, -1e30, 1.0, 0.0, -0.0, 1e-30], 1.0, code)
    assert spikes.phase.tolist() == [0, 0, 0, code.steps, code.steps, code.steps]
    assert spikes.sign.tolist() == [1, -1, 1, 0, 0, 0]
    assert decode(spikes, 2.0, code).tolist() == [2, -2, 2, 0, 0, 0]
    assert spikes.count() == 3


@pytest.mark.parametrize("code", NAMED_CODES.values(), ids=NAMED_CODES)
def test_octaves_of_a_phase(code: PhaseCode) -> None:
    for phase in range(2 * code.steps):
        octaves, residue = code.octave(phase)
        assert 0 <= residue < code.log2_base.denominator
        assert Fraction(octaves) + Fraction(residue, code.log2_base.denominator) == phase * code.log2_base


@pytest.mark.parametrize(
    ("fields", "sentence"),
    [
        ({"steps": 0}, "PhaseCode.steps must be an integer in 1..64, not 0"),
        ({"steps": 65}, "PhaseCode.steps must be an integer in 1..64, not 65"),
        ({"steps": True}, "PhaseCode.steps must be an integer in 1..64, not True"),
        ({"steps": 16.0}, "PhaseCode.steps must be an integer in 1..64, not 16.0"),
        (
            {"log2_base": 0.5},
            "PhaseCode.log2_base must be a fraction a/b in (0, 2] with b at most 8, not 0.5",
        ),
        (
            {"log2_base": Fraction(0)},
            "PhaseCode.log2_base must be a fraction a/b in (0, 2] with b at most 8, not 0",
        ),
        (
            {"log2_base": Fraction(9, 4)},
            "PhaseCode.log2_base must be a fraction a/b in (0, 2] with b at most 8, not 9/4",
        ),
        (
            {"log2_base": Fraction(1, 9)},
            "PhaseCode.log2_base must be a fraction a/b in (0, 2] with b at most 8, not 1/9",
        ),
        ({"trace_bits": 3}, "PhaseCode.trace_bits must be an integer in 4..16, not 3"),
        ({"trace_bits": 17}, "PhaseCode.trace_bits must be an integer in 4..16, not 17"),
        ({"ramp_bits": -1}, "PhaseCode.ramp_bits must be an integer in 0..8, not -1"),
        ({"ramp_bits": 9}, "PhaseCode.ramp_bits must be an integer in 0..8, not 9"),
    ],
)
def test_parameters_out_of_range(fields: dict[str, Any], sentence: str) -> None:
    with pytest.raises(InputError) as raised:
        PhaseCode(**fields)
    assert str(raised.value) == sentence
