"""Measures of a report against values worked out by hand, and the shape of a cycle report."""

import json
import math

import numpy as np
import pytest

from golden.attention.config import preset
from golden.attention.job import compute, prepare
from golden.code import PhaseCode
from sim.timing.cycles import CycleReport, StageActivity
from studies.attention.report import Deviation, Firing, attention_report, tool_versions


def test_deviation() -> None:
    deviation = Deviation.between(np.array([[1.0, 0.0]]), np.array([[1.0, 1.0]]))
    assert deviation.cosine == pytest.approx(1 / math.sqrt(2))
    assert deviation.relative_rmse == pytest.approx(1 / math.sqrt(2))
    same = Deviation.between(np.array([3.0, -4.0]), np.array([3.0, -4.0]))
    assert same.cosine == pytest.approx(1.0)
    assert same.relative_rmse == 0.0
    assert Deviation.between(np.array([-2.0]), np.array([1.0])).cosine == pytest.approx(-1.0)


def test_deviation_without_a_direction() -> None:
    zero, one = np.zeros(2), np.ones(2)
    assert Deviation.between(zero, one) == Deviation(None, 1.0)
    assert Deviation.between(one, zero) == Deviation(None, None)


def test_firing() -> None:
    q = np.array([[[1.0, 0.0], [1.0, 1.0]]])
    job = prepare(q, q, np.zeros_like(q), PhaseCode(), mask=np.array([True, False])).job
    firing = Firing.of(job, compute(job))
    # The second key is masked in every row, and so silent
    assert firing == Firing(q=0.75, k=0.25, v=0.0, out=0.0, survivors_per_row=1.0)


def test_tools() -> None:
    tools = tool_versions()
    assert tools["numpy"] == np.__version__
    assert all(tools.values())


def test_cycles() -> None:
    report = CycleReport(np.array([[9, 12], [20, 25]]))
    assert report.to_json() == {
        "total": 25,
        "heads": [12, 25],
        "head_durations": [13, 13],
        "rows": [[9, 12], [20, 25]],
    }
    assert report == CycleReport(np.array([[9, 12], [20, 25]], dtype=np.int32))
    assert report != CycleReport(np.array([[9, 12], [21, 25]]))
    assert report != CycleReport(np.array([[9, 12]]))
    assert report.rows.dtype == report.heads.dtype == np.int64
    assert report.durations.sum() == report.total + 1


def test_cycles_keep_their_own_rows() -> None:
    rows = np.array([[1, 2]])
    report = CycleReport(rows)
    rows[0, 0] = 7
    assert report.rows[0, 0] == 1
    with pytest.raises(ValueError, match="read-only"):
        report.rows[0, 0] = 7


def test_report_of_an_engine_with_time() -> None:
    """Cycles and activity appear as plain JSON, NumPy integers included."""
    q = np.ones((1, 2, 2))
    job = prepare(q, q, q, PhaseCode()).job
    report = attention_report(
        scheme="spiked",
        engine="model",
        seed=3,
        config=preset("default"),
        job=job,
        spikes=compute(job),
        out=q,
        out_raw=q,
        exact=q,
        cycles=CycleReport(np.array([[5, 8]])),
        activity=StageActivity(
            events={"spikes": np.int64(8)},  # type: ignore[dict-item]
            busy={"score": 4},
            lane_utilisation=0.5,
        ),
    )
    again = json.loads(json.dumps(report, allow_nan=False))
    assert again == report
    assert report["cycles"]["heads"] == [8]
    assert report["events"] == {"spikes": 8}
    assert report["busy_cycles"] == {"score": 4}
    assert report["lane_utilisation"] == 0.5
    assert report["error"]["out"]["relative_rmse"] == 0.0
