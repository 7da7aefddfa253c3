"""The three engines from the command line: equal files, equal cycles, and a waveform on request."""

import json
from pathlib import Path

import numpy as np
import pytest

from tests.sim.cores.views import traced
from tests.sim.verilator.fst import fst_names


@pytest.fixture
def example(folder: Path, run) -> str:
    """Two heads that the preset `tiny` holds."""
    words = ("--heads", "2", "--tokens", "11", "--head-dim", "7", "--seed", "4")
    assert run("example", "in.npz", *words).status == 0
    return "in.npz"


def test_engines_agree(folder: Path, example: str, run) -> None:
    for engine in ("golden", "model", "rtl"):
        words = ("--engine", engine, "--preset", "tiny", "--window", "6", "--report", f"{engine}.json")
        ran = run("attention", example, f"{engine}.npz", *words)
        assert (ran.status, ran.err) == (0, "")
        assert ("cycles" in ran.out) == (engine != "golden")
    golden = (folder / "golden.npz").read_bytes()
    assert (folder / "model.npz").read_bytes() == golden
    assert (folder / "rtl.npz").read_bytes() == golden
    model, rtl = (json.loads((folder / f"{engine}.json").read_text()) for engine in ("model", "rtl"))
    assert set(rtl["cycles"]) == {"total", "heads", "head_durations", "rows"}
    assert np.shape(rtl["cycles"]["rows"]) == (2, 11)
    assert rtl["cycles"]["total"] == rtl["cycles"]["heads"][-1] == rtl["cycles"]["rows"][-1][-1]
    assert sum(rtl["cycles"]["head_durations"]) == rtl["cycles"]["total"] + 1
    assert all(isinstance(count, int) for count in rtl["events"].values())
    assert 0 < rtl["lane_utilisation"] <= 1
    assert model | {"engine": "rtl"} == rtl


def test_waves(folder: Path, example: str, run) -> None:
    words = ("--engine", "rtl", "--preset", "tiny", "--waves", "core.fst")
    assert run("attention", example, "out.npz", *words).status == 0
    assert sorted(path.name for path in folder.iterdir()) == ["core.fst", "core.views", "in.npz", "out.npz"]
    names = fst_names((folder / "core.fst").read_bytes())
    shown = traced((folder / "core.views" / "core.gtkw").read_text())
    assert len(shown) > 100
    assert {trace.path for trace in shown} <= names
    filters = {trace.filter for trace in shown} - {None}
    assert {f"{name}.filter.txt" for name in ("spike", "attention", "phase", "score.fsm_state")} <= filters
    assert all((folder / "core.views" / name).is_file() for name in filters)


def test_no_place_for_views(folder: Path, example: str, refused) -> None:
    (folder / "core.views").write_text("in the way")
    words = ("--engine", "rtl", "--preset", "tiny", "--waves", "core.fst")
    refused(
        "attention",
        example,
        "out.npz",
        *words,
        says=r"W\.views of --waves must be a folder, not the file core.views",
    )
