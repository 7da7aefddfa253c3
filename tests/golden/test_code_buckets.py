"""The fast search of `encode` against a plain search over the thresholds, at and beside every threshold."""

from fractions import Fraction

import numpy as np
import pytest

from golden.code import PhaseCode, encode

CODES = [(16, 1, 2), (40, 1, 5), (8, 3, 4), (24, 2, 7), (64, 1, 8), (1, 1, 1), (64, 2, 1), (2, 1, 8)]


@pytest.mark.parametrize(("steps", "a", "b"), CODES)
def test_encode_equals_a_plain_search(steps: int, a: int, b: int) -> None:
    code = PhaseCode(steps=steps, log2_base=Fraction(a, b))
    rising = code.threshold_shift * code.base ** -np.arange(steps - 1, -1, -1, dtype=np.float64)
    rng = np.random.default_rng(1)
    spread = rng.normal(size=4000) * np.exp(8 * rng.normal(size=4000))
    edges = np.concatenate([rising, np.nextafter(rising, 0), np.nextafter(rising, 9)])
    values = np.concatenate([spread, edges, -edges, [0.0, -0.0, 1e300, -5e-324]])
    spikes = encode(values, 1.0, code)
    phase = steps - np.searchsorted(rising, np.abs(values), side="right")
    np.testing.assert_array_equal(spikes.phase, phase)
    np.testing.assert_array_equal(spikes.sign, np.where(phase < steps, np.sign(values), 0))
