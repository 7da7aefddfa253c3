"""Ranks, correlation, intervals."""

import json

import numpy as np
import pytest
from scipy.stats import rankdata, spearmanr

from onespike.commands.evaluate import report_table
from studies.evaluate.metrics import Estimate, accuracy, bootstrap, cosine, ranks, spearman
from studies.evaluate.report import sts_report
from studies.evaluate.work import Outputs


@pytest.mark.parametrize("seed", range(5))
def test_spearman_equals_scipy_with_ties(seed: int) -> None:
    rng = np.random.default_rng(seed)
    left, right = rng.integers(0, 12, 60).astype(float), rng.normal(size=60)
    np.testing.assert_allclose(ranks(left), rankdata(left))
    assert spearman(left, right) == pytest.approx(100 * spearmanr(left, right).statistic)


def test_constant_scores_have_no_correlation() -> None:
    assert np.isnan(spearman(np.ones(5), np.arange(5.0)))
    assert np.isnan(spearman(np.arange(1.0), np.arange(1.0)))
    assert np.isnan(spearman(np.array([1.0, np.nan, 2.0]), np.arange(3.0)))


def test_undefined_scores_have_no_interval() -> None:
    """The others keep theirs, from the repetitions that define them."""
    left = np.array([[1.0, 1.0, 1.0], [1.0, 1.0, 2.0]])

    def statistic(where: np.ndarray) -> np.ndarray:
        return np.array([spearman(row[where], np.arange(3.0)[where]) for row in left])

    constant, other = bootstrap(statistic, 3, seed=1)
    assert constant == Estimate(value=None, low=None, high=None)
    assert other.value == pytest.approx(100 * np.sqrt(3) / 2)
    assert 0 < other.low < other.high <= 100.000001


def outputs(values: list[list[float]]) -> Outputs:
    return Outputs(values=np.array(values), activity={})


def test_undefined_scores_in_report_and_table() -> None:
    """Two pairs whose embeddings are all alike in one mode, one of them 0 in the other."""
    floats = outputs([[1, 0], [1, 0], [0, 1], [0, 1]])
    spiking = outputs([[1, 0], [1, 1], [0, 1], [0, 0]])
    report = sts_report({"float": floats, "linear": spiking}, scores=np.array([1.0, 2.0]), seed=1)
    assert "NaN" not in json.dumps(report)
    assert report["modes"]["float"]["score"] == {"value": None, "low": None, "high": None}
    linear = report["modes"]["linear"]
    assert linear["loss"]["value"] is None
    assert linear["cosine"] == {"mean": None, "min": None}
    code = {"steps": 16, "log2_base": "1/2"}
    table = report_table(report | {"layout": "bert", "code": code})
    cells = [[str(cell) for cell in column.cells] for column in table.columns]
    assert cells[1:5] == [["undefined", "undefined"], ["", ""], ["", "undefined"], ["", ""]]


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
