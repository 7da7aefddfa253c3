"""`onespike sweep`: what a point holds, resuming, damaged results, bad grids."""

import csv
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from golden.errors import InputError
from onespike.cli import main
from sim.cores.attention.core import SpikedAttentionCore
from studies.data.random import random_heads
from studies.sweep.area import Area, area_of
from studies.sweep.grid import DEFAULTS, Point, span
from studies.sweep.measure import Heads, misfit
from studies.sweep.run import mark_front

ROOT = Path(__file__).parents[3]

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


def test_a_killed_sweep_goes_on_and_loses_nothing(grid: Path, tmp_path: Path) -> None:
    """Killed for good, not asked to stop: what was finished is whole and is not run again."""
    text = grid.read_text().replace("steps = [8, 24]", "steps = [4, 6, 8, 10, 12, 14, 16, 18, 20, 24]")
    grid.write_text(text.replace("trace_bits = [8]", "trace_bits = [8, 9, 10, 11, 12]"))
    target, whole = tmp_path / "out", tmp_path / "whole"
    command = [sys.executable, "-m", "onespike", "sweep", "--grid", str(grid), "--jobs", "1", "-o"]
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    process = subprocess.Popen([*command, str(target)], env=environment, cwd=tmp_path)
    try:
        deadline = time.monotonic() + 100
        while len(list(target.glob("points/*.json"))) < 3:
            assert process.poll() is None, "the sweep ended before it could be killed"
            assert time.monotonic() < deadline
            time.sleep(0.005)
    finally:
        process.send_signal(signal.SIGKILL)
        process.wait()
    kept = {path: path.stat().st_mtime_ns for path in target.glob("points/*.json")}
    assert 3 <= len(kept) < 100
    assert not (target / "sweep.json").exists()
    arguments = [*command[3:], str(target)]
    assert main(arguments) == 0
    assert {path: path.stat().st_mtime_ns for path in kept} == kept
    assert main([*command[3:], str(whole)]) == 0
    assert (target / "sweep.json").read_text() == (whole / "sweep.json").read_text()
    assert len(list((target / "points").iterdir())) == 100  # and nothing that the kill left behind


def test_longer_codes_err_less_and_take_longer() -> None:
    heads = Heads(random_heads(2, 16, 16, seed=5))
    short, long = (
        heads.measure(Point(lanes=8, steps=steps, log2_base=base, trace_bits=12, model="random"))
        for steps, base in ((8, "3/4"), (24, "2/7"))
    )
    assert long["error"] < short["error"]
    assert long["cycles"] > short["cycles"]


def test_whole_networks(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    grid = tmp_path / "grid.toml"
    grid.write_text(
        'lanes = [16, 32]\nsteps = [8, 24]\nlog2_base = ["2/7", "1"]\ntrace_bits = [12]\n'
        'model = ["digits"]\nimages = 12\n'
    )
    target = tmp_path / "out"
    assert main(["sweep", "--grid", str(grid), "-o", str(target), "--jobs", "1"]) == 0
    points = json.loads((target / "sweep.json").read_text())["points"]
    found = {(p["lanes"], p["steps"], p["log2_base"]): p for p in points}
    fine, coarse = found[16, 24, "2/7"], found[16, 8, "2/7"]
    assert 0 < fine["error"] < 0.5 * coarse["error"]
    assert fine["accuracy"] >= 90
    assert found[32, 24, "2/7"]["cycles"] < 0.7 * fine["cycles"]
    # Twice the lanes hold half the weights each, and a bit of a small memory costs its root
    assert 0.5**0.5 < found[32, 24, "2/7"]["energy"] / fine["energy"] < 1
    assert (fine["lut4"], fine["area_source"]) == (None, "unknown")
    # At T = 24 and B = 2 potentials leave their word: no core can be, and the point says so
    refused = found[16, 24, "1"]
    assert "must be in" in refused["refused"]
    assert not refused["front"]
    assert "2 that no core can be" in capsys.readouterr().out


def test_a_grid_without_any_core_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    grid = tmp_path / "grid.toml"
    grid.write_text('lanes = [1]\nsteps = [8, 16]\nlog2_base = ["1/2"]\ntrace_bits = [8]\n')
    target = tmp_path / "out"
    assert main(["sweep", "--grid", str(grid), "-o", str(target), "--jobs", "1"]) == 2
    assert "no point of the grid can be run: CoreConfig.tokens must be" in capsys.readouterr().err
    assert not (target / "sweep.json").exists()


def test_networks_need_their_data(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    grid = tmp_path / "grid.toml"
    grid.write_text('model = ["fashion"]\n')
    assert main(["sweep", "--grid", str(grid), "-o", str(tmp_path / "out")]) == 2
    assert "network fashion needs --data" in capsys.readouterr().err
    grid.write_text(f'model = ["fashion"]\ndata = "{tmp_path}"\n')
    assert main(["sweep", "--grid", str(grid), "-o", str(tmp_path / "out")]) == 2
    assert "cannot be read" in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


def test_misfit_knows_neither_scale_nor_offset() -> None:
    exact = np.random.default_rng(0).normal(size=(5, 10))
    assert misfit(np.rint(1e6 * exact + 7e5).astype(int), exact) < 1e-3
    noise = np.random.default_rng(1).normal(size=(5, 10))
    assert misfit(np.rint(1e6 * noise).astype(int), exact) > 0.9


def test_front() -> None:
    base = {"model": "m", "error": 1.0, "cycles": 10, "energy": 5.0, "lut4": 100}
    points = [
        base,
        base | {"error": 2.0},
        base | {"error": 0.5, "energy": 9.0},
        base | {"model": "n"},
        base | {"lut4": 90, "error": 1.5},
        base | {"model": "o", "lut4": None},
        base | {"model": "o", "lut4": None, "cycles": 11},
        {"model": "m", "refused": "too wide"},
    ]
    assert [point["front"] for point in mark_front(points)] == [
        *(True, False, True, True, True, True, False, False),
    ]


def test_area_comes_from_the_fastest_build_in_the_cache(
    tmp_path: Path, put_report: Callable[..., Path]
) -> None:
    point = span({axis: values[:1] for axis, values in DEFAULTS.items()})[0]
    config = point.config(64, 32, bias=False, mask=False)
    core = SpikedAttentionCore(config)
    estimate = area_of(core, tmp_path)
    assert (estimate.area_source, estimate.closed_mhz) == ("estimated", None)
    put_report(tmp_path / "board" / "one", config, fmax=70.0, clock=60.0, lut4=1234)
    put_report(tmp_path / "board" / "two", config, fmax=55.0, clock=54.0, lut4=1111)
    assert area_of(core, tmp_path) == Area(lut4=1234, area_source="synthesised", closed_mhz=60.0)
    assert (
        area_of(SpikedAttentionCore(point.config(32, 32, bias=False, mask=False)), tmp_path).area_source
        == "estimated"
    )
    (tmp_path / "board" / "two" / "report.json").write_text("{")
    with pytest.raises(InputError, match="corrupt report in the synthesis cache"):
        area_of(core, tmp_path)


def test_the_estimate_grows_with_what_it_counts() -> None:
    def lut4(lanes: int, steps: int, log2_base: str, trace_bits: int) -> int:
        point = Point(lanes=lanes, steps=steps, log2_base=log2_base, trace_bits=trace_bits, model="random")
        return area_of(SpikedAttentionCore(point.config(64, 32, bias=False, mask=False)), Path("absent")).lut4

    assert lut4(8, 16, "1/2", 12) < lut4(16, 16, "1/2", 12) < lut4(32, 16, "1/2", 12)
    assert lut4(16, 16, "1/2", 8) < lut4(16, 16, "1/2", 12)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            "lane = [1]",
            "axis must be one of lanes, steps, log2_base, trace_bits, model, data or images, not 'lane'",
        ),
        ("lanes = 4", "lanes must be a list of integers, not 4"),
        ("steps = [0]", "PhaseCode.steps must be an integer in 1..64, not 0"),
        ('log2_base = ["x"]', "log2_base must be a fraction \"a/b\", not 'x'"),
        ("lanes = [", "not a TOML file"),
        ("lanes = [" + "9" * 5000 + "]", "not a TOML file"),
        ("data = 1", "data must be a folder in quotes, not 1"),
        (f"lanes = {[8] * 10_000}", "a grid must span at most 100,000 points, not 180,000"),
        ("images = 0", "images must be an integer in 1..1048576, not 0"),
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
