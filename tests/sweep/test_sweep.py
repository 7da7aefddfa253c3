"""`onespike sweep`: what a point holds, resuming, damaged results, bad grids."""

import csv
import json
from pathlib import Path

import numpy as np
import pytest

from golden.config import to_table
from onespike.cli import main
from sim.sweep.grid import DEFAULTS, Point, span
from sim.sweep.measure import area, measure
from sim.sweep.run import mark_front
from sim.workload import random_heads

GRID = """
lanes = [4]
steps = [8, 24]
log2_base = ["2/7", "3/4"]
trace_bits = [8]
model = ["HEADS"]
"""


@pytest.fixture
def grid(tmp_path: Path) -> Path:
    heads = tmp_path / "heads.npz"
    np.savez(heads, **random_heads(2, 9, 8, seed=1))
    path = tmp_path / "grid.toml"
    path.write_text(GRID.replace("HEADS", str(heads)))
    return path


def test_a_sweep_resumes_and_loses_nothing(
    grid: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    target = tmp_path / "out"
    arguments = ["sweep", "--grid", str(grid), "-o", str(target), "--jobs", "1"]
    assert main(arguments) == 0
    assert "4 points" in capsys.readouterr().out
    whole = (target / "sweep.json").read_text()
    points = sorted((target / "points").iterdir())
    assert len(points) == 4
    kept, lost = points[0], points[1]
    before = kept.stat().st_mtime_ns
    lost.unlink()
    assert main(arguments) == 0
    assert "3 of them known before" in capsys.readouterr().out
    assert (target / "sweep.json").read_text() == whole
    assert kept.stat().st_mtime_ns == before
    with (target / "sweep.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert {row["steps"] for row in rows} == {"8", "24"}
    assert (target / "pareto.png").stat().st_size > 1000
    lost.write_text('{"error": 1')
    assert main(arguments) == 2
    assert "damaged result of a sweep" in capsys.readouterr().err


def test_longer_codes_err_less_and_take_longer() -> None:
    arrays = random_heads(2, 16, 16, seed=5)
    short, long = (
        measure(Point(lanes=8, steps=steps, log2_base=base, trace_bits=12, model="random"), arrays)
        for steps, base in ((8, "3/4"), (24, "2/7"))
    )
    assert long["error"] < short["error"]
    assert long["cycles"] > short["cycles"]
    assert long["lut4"] is None


def test_front() -> None:
    base = {"model": "m", "error": 1.0, "cycles": 10, "energy": 5.0}
    points = [base, base | {"error": 2.0}, base | {"error": 0.5, "energy": 9.0}, base | {"model": "n"}]
    assert [point["front"] for point in mark_front(points)] == [True, False, True, True]


def test_area_comes_from_the_synthesis_cache(tmp_path: Path) -> None:
    point = span({axis: values[:1] for axis, values in DEFAULTS.items()})[0]
    config = point.config(64, 32, bias=False, mask=False)
    place = tmp_path / "board" / "key"
    place.mkdir(parents=True)
    (place / "report.json").write_text(json.dumps({"parameters": to_table(config), "lut4": 1234}))
    assert area(config, tmp_path) == 1234
    assert area(point.config(32, 32, bias=False, mask=False), tmp_path) is None
    (place / "report.json").write_text("{")
    with pytest.raises(ValueError, match="corrupt report in the synthesis cache"):
        area(config, tmp_path)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("lane = [1]", "axis must be one of lanes, steps, log2_base, trace_bits, model, not 'lane'"),
        ("lanes = 4", "lanes must be a list of integers, not 4"),
        ("steps = [0]", "PhaseCode.steps must be an integer in 1..64, not 0"),
        ('log2_base = ["x"]', "log2_base must be a fraction a/b, not 'x'"),
        ("lanes = [", "not a TOML file"),
        ('model = ["absent.npz"]', "absent.npz: cannot be read"),
    ],
)
def test_bad_grids(tmp_path: Path, capsys: pytest.CaptureFixture[str], text: str, message: str) -> None:
    path = tmp_path / "grid.toml"
    path.write_text(text)
    target = tmp_path / "out"
    assert main(["sweep", "--grid", str(path), "-o", str(target)]) == 2
    assert message in capsys.readouterr().err
    assert not target.exists()
