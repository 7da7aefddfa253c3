"""Winner-oriented spike shift by its definition: each key scans the steps of the ramp."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from golden.attention.config import PRESETS
from golden.attention.woss import MAX_RAMP_STEP, SCORE_LIMIT, ramp_step, spike_shift, thresholds, winners
from golden.code import PhaseCode
from tests.golden.golden_cases import SEEDS, codes, examples


def first_step(distance: int, step: int, code: PhaseCode, window: int) -> int:
    """First t with distance * 2**D <= floor(STEP/2) + t*STEP, T where there is none."""
    for t in range(window):
        if distance * 2**code.ramp_bits <= step // 2 + t * step:
            return t
    return code.steps


@given(
    code=codes(),
    seed=SEEDS,
    step_bits=st.integers(0, 62),
    score_bits=st.integers(1, 52),
    masked=st.booleans(),
)
@examples(150)
def test_equals_the_scan_of_the_ramp(
    code: PhaseCode, seed: int, step_bits: int, score_bits: int, masked: bool
) -> None:
    rng = np.random.default_rng(seed)
    heads, rows, keys = rng.integers(1, 5, 3)
    window = int(rng.integers(1, code.steps + 1))
    step = rng.integers(0, 2**step_bits, heads, endpoint=True)
    # Near the winner distances straddle the ramp, farther out they reach the whole range
    spread = max(1, min(int(step.max()) * window >> code.ramp_bits, SCORE_LIMIT))
    scores = np.where(
        rng.random((heads, rows, keys)) < 0.8,
        -rng.integers(0, 2 * spread, (heads, rows, keys)),
        rng.integers(-(2**score_bits), 2**score_bits, (heads, rows, keys)),
    )
    scores = np.clip(scores, 1 - SCORE_LIMIT, SCORE_LIMIT - 1)
    allowed = None
    if masked:
        allowed = rng.random(scores.shape) < 0.6
        allowed[..., rng.integers(keys)] = True
    winner, spikes = spike_shift(scores, step, code, window, allowed)
    for h, i in np.ndindex(heads, rows):
        takes_part = [True] * keys if allowed is None else allowed[h, i].tolist()
        row = scores[h, i].tolist()
        best = max(p for p, may in zip(row, takes_part, strict=True) if may)
        assert winner[h, i] == best
        expected = [
            first_step(best - p, int(step[h]), code, window) if may else code.steps
            for p, may in zip(row, takes_part, strict=True)
        ]
        assert spikes.phase[h, i].tolist() == expected
        assert spikes.sign[h, i].tolist() == [int(t < code.steps) for t in expected]
    # The same, the falling threshold looked at
    passed = scores[..., None] >= thresholds(winner, step, code, window)[:, :, None]
    passed &= True if allowed is None else allowed[..., None]
    assert np.array_equal(spikes.phase, np.where(passed.any(-1), passed.argmax(-1), code.steps))


@given(code=codes(), seed=SEEDS, step=st.integers(1, 2**44) | st.integers(2**44, 2**53))
@examples(100)
def test_distances_at_each_threshold(code: PhaseCode, seed: int, step: int) -> None:
    """The last distance that still fires at t, and the next one."""
    window = int(np.random.default_rng(seed).integers(1, code.steps + 1))
    last = [(step // 2 + t * step) >> code.ramp_bits for t in range(window)]
    distances = [0, *last, *(d + 1 for d in last)]
    scores = -np.array(distances)[None, None, :]
    _, spikes = spike_shift(scores, np.array([step]), code, window)
    assert spikes.phase[0, 0].tolist() == [first_step(d, step, code, window) for d in distances]


def test_step_of_zero_lets_only_the_winners_fire() -> None:
    code = PhaseCode()
    winner, spikes = spike_shift(np.array([[[7, 6, 7, -7]]]), np.array([0]), code, 16)
    assert winner.tolist() == [[7]]
    assert spikes.phase[0, 0].tolist() == [0, 16, 0, 16]


@pytest.mark.parametrize("ramp_bits", [0, 8])
def test_largest_step_fires_every_key_at_once(ramp_bits: int) -> None:
    code = PhaseCode(steps=64, ramp_bits=ramp_bits)
    scores = np.array([[[0, 1 - SCORE_LIMIT, SCORE_LIMIT - 1]]])
    _, spikes = spike_shift(scores, np.array([MAX_RAMP_STEP]), code, 64)
    assert spikes.phase[0, 0].tolist() == [0, 0, 0]
    # and any larger one would do the same
    assert (2 * SCORE_LIMIT - 2) * 2**8 <= MAX_RAMP_STEP // 2


def test_large_steps_are_told_apart() -> None:
    """Where a step beyond 2**40 was taken for one that fires all keys, or divided in floats."""
    code = PhaseCode(steps=64, ramp_bits=4)
    step = (1 << 51) + 1
    at = [(step // 2 + t * step) >> 4 for t in range(64)]
    distances = np.array([[[0, *at, *(d + 1 for d in at)]]])
    _, spikes = spike_shift(-distances, np.array([step]), code, 64)
    assert spikes.phase[0, 0].tolist() == [first_step(d, step, code, 64) for d in distances[0, 0].tolist()]


@pytest.mark.parametrize("name", PRESETS)
@given(seed=SEEDS, wide=st.booleans())
@examples(25)
def test_clipping_the_step_to_the_core_changes_no_phase(name: str, seed: int, wide: bool) -> None:
    config = PRESETS[name]
    limit = 1 << (config.score_width - 1)
    rng = np.random.default_rng(seed)
    bits = 62 if wide else config.step_width + 1
    step = rng.integers(0, 2**bits, 4, endpoint=True)
    scores = rng.integers(-limit, limit, (4, 3, 20))
    scores[:, :, :2] = [-limit, limit - 1]  # the widest distance a score register can hold
    clipped = np.minimum(step, config.step_limit)
    window = int(rng.integers(1, config.code.steps + 1))
    _, as_is = spike_shift(scores, step, config.code, window)
    _, kept = spike_shift(scores, clipped, config.code, window)
    assert (as_is.phase == kept.phase).all()
    assert (kept.phase[clipped == config.step_limit] == 0).all()
    assert config.step_limit < 2**config.step_width


@given(code=codes(), exponent=st.floats(-60, 60))
@examples(60)
def test_ramp_step_is_the_rounded_fall_of_one_code(code: PhaseCode, exponent: float) -> None:
    alpha = 2.0**exponent
    exact = min(2**code.ramp_bits * float(code.log2_base) * math.log(2) / alpha, MAX_RAMP_STEP)
    assert abs(ramp_step(alpha, code) - exact) <= 0.5 + 1e-12 * exact


def test_ramp_step_at_the_ends() -> None:
    assert ramp_step(0.0, PhaseCode()) == MAX_RAMP_STEP
    assert ramp_step(1e-300, PhaseCode()) == MAX_RAMP_STEP
    assert ramp_step(1e300, PhaseCode()) == 0


def test_winners_among_allowed_keys() -> None:
    scores = np.array([[3, 9, 5], [-4, -2, -3]])
    assert winners(scores).tolist() == [9, -2]
    assert winners(scores, np.array([[True, False, True], [True, False, False]])).tolist() == [5, -4]
