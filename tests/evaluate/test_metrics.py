"""Ranks, correlation, intervals."""

import numpy as np
import pytest
from scipy.stats import rankdata, spearmanr

from sim.evaluate.metrics import accuracy, bootstrap, cosine, ranks, spearman


@pytest.mark.parametrize("seed", range(5))
def test_spearman_equals_scipy_with_ties(seed: int) -> None:
    rng = np.random.default_rng(seed)
    left, right = rng.integers(0, 12, 60).astype(float), rng.normal(size=60)
    np.testing.assert_allclose(ranks(left), rankdata(left))
    assert spearman(left, right) == pytest.approx(100 * spearmanr(left, right).statistic)


def test_constant_scores_correlate_with_nothing() -> None:
    assert spearman(np.ones(5), np.arange(5.0)) == 0.0


def test_accuracy_and_cosine() -> None:
    assert accuracy(np.array([1.0, 0.0, 1.0, 1.0])) == 75.0
    assert cosine(np.array([[1.0, 0], [1, 1]]), np.array([[0.0, 2], [3, 3]])) == pytest.approx([0.0, 1.0])


def test_intervals_cover_and_repeat() -> None:
    samples = np.random.default_rng(1).normal(5.0, 2.0, 400)

    def statistic(where: np.ndarray) -> np.ndarray:
        return np.array([samples[where].mean(), samples[where].mean() - samples[where].mean()])

    mean, difference = bootstrap(statistic, 400, seed=3)
    again, _ = bootstrap(statistic, 400, seed=3)
    assert mean == again
    assert mean.low < mean.value < mean.high
    # Standard error of a mean of 400: 0.1; 95 % lie within about two of them
    assert 0.3 < mean.high - mean.low < 0.5
    assert (difference.low, difference.value, difference.high) == (0.0, 0.0, 0.0)
