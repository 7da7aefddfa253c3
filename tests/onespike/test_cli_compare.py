"""onespike compare: both schemes on one file, against the reports that each gives alone."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from golden.attention.config import PRESETS, CoreConfig, lane_per_token
from golden.code import PhaseCode
from golden.stochastic.config import StochasticConfig
from golden.stochastic.plan import RandomPlan
from onespike.cli import main
from studies.compare.schemes import _areas, measured_area, spiked_area, stochastic_area


@pytest.fixture
def rates(tmp_path: Path) -> Path:
    path = tmp_path / "rates.npz"
    assert main(["example", str(path), "--rates", "--heads", "3", "--tokens", "9", "--head-dim", "16"]) == 0
    return path


def test_both_schemes(rates: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    both, alone, target = (tmp_path / name for name in ("both.json", "alone.json", "out.npz"))
    assert main(["compare", str(rates), "--steps", "10", "--seed", "3", "--report", str(both)]) == 0
    reports = json.loads(both.read_text())
    model = ["--engine", "model", "--seed", "3", "--report", str(alone)]
    stochastic = ["--scheme", "stochastic", "--steps", "10"]
    config = tmp_path / "core.toml"
    core = (
        "lanes = 9\ntokens = 9\nhead_dim = 16\ncluster = 3\nterms_per_beat = 1\nbias = false\nmask = false\n"
    )
    config.write_text(core)
    for scheme, options in (("stochastic", stochastic), ("spiked", ["--config", str(config)])):
        assert main(["attention", str(rates), str(target), *model, *options]) == 0
        wanted = json.loads(alone.read_text())
        assert {key: reports[scheme][key] for key in wanted} == wanted
    # The full array: (T + 1) * d columns and the latency, then T * d per head; one schema for both
    assert reports["stochastic"]["cycles"]["head_durations"] == [11 * 16 + 6, 160, 160]
    assert set(reports["spiked"]) - set(reports["stochastic"]) == {"window"}
    table = capsys.readouterr().out
    assert "SpikedAttention" in table
    assert "182" in table


def test_chosen_engines(rates: Path, tmp_path: Path) -> None:
    report, engine = tmp_path / "both.json", tmp_path / "engine.toml"
    engine.write_text("tokens = 9\nhead_dim = 16\nrows = 1\n")
    options = ["--preset", "digits", "--engine-config", str(engine), "--report", str(report)]
    assert main(["compare", str(rates), *options]) == 0
    reports = json.loads(report.read_text())
    assert reports["spiked"]["configuration"]["tokens"] == 16
    assert reports["stochastic"]["configuration"]["rows"] == 1
    assert reports["stochastic"]["cycles"]["head_durations"][1] == 16 * 9 * 16


def test_seed(rates: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """--seed, else that of the engine's file, else 1; the same spikes as `onespike attention`."""
    engine, both, alone = (tmp_path / name for name in ("engine.toml", "both.json", "alone.json"))
    engine.write_text("tokens = 9\nhead_dim = 16\nseed = 7\n")
    attention = ["attention", str(rates), str(tmp_path / "out.npz"), "--scheme", "stochastic"]
    seeds = []
    for file, option in ((True, []), (True, ["--seed", "5"]), (False, [])):
        chosen = ["--engine-config", str(engine)] if file else []
        assert main(["compare", str(rates), *chosen, *option, "--report", str(both)]) == 0
        reports = json.loads(both.read_text())
        assert f", seed {reports['stochastic']['seed']} " in capsys.readouterr().out
        chosen = ["--config", str(engine)] if file else []
        assert main([*attention, *chosen, *option, "--engine", "model", "--report", str(alone)]) == 0
        wanted = json.loads(alone.read_text())
        assert {key: reports["stochastic"][key] for key in wanted} == wanted
        assert reports["spiked"]["seed"] == reports["stochastic"]["seed"]
        seeds.append(wanted["seed"])
        capsys.readouterr()
    assert seeds == [7, 5, 1]


def test_area_of_another_core(rates: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The digits preset has the lanes of a measured core, and a bias and a mask."""
    report = tmp_path / "both.json"
    assert main(["compare", str(rates), "--preset", "digits", "--report", str(report)]) == 0
    spiked = json.loads(report.read_text())["spiked"]
    assert [spiked["configuration"][key] for key in ("lanes", "tokens", "head_dim")] == [16, 16, 16]
    assert spiked["area"] is None
    assert capsys.readouterr().out.count("not measured") == 8


def test_areas() -> None:
    for entry in _areas():
        found = measured_area(entry["scheme"], entry["tokens"], entry["head_dim"], entry["rows"])
        assert found is not None
        assert {"lut4", "flip_flops", "block_rams"} <= found.keys()
    config = StochasticConfig(tokens=8, head_dim=8, rows=8, steps=10, plan=RandomPlan(seed=5))
    assert stochastic_area(config) == measured_area("stochastic", 8, 8, 8) is not None
    other = StochasticConfig(tokens=8, head_dim=8, rows=8, plan=RandomPlan(score="row"))
    assert stochastic_area(other) is None
    assert stochastic_area(replace(config, encoders=True)) is None
    assert measured_area("spiked", 3, 3, 3) is None
    core = lane_per_token(16, 16)
    assert spiked_area(core) == measured_area("spiked", 16, 16, 16) is not None
    for change in ({"bias": True}, {"mask": True}, {"trace_store": "logic"}, {"code": PhaseCode(steps=8)}):
        assert spiked_area(replace(core, **change)) is None
    assert spiked_area(CoreConfig(lanes=64, tokens=1024)) is None


def refused(capsys: pytest.CaptureFixture[str], message: str, source: Path, *options: str) -> None:
    """Status 2, exactly this line, and nothing written."""
    capsys.readouterr()
    before = sorted(source.parent.iterdir())
    report = source.parent / "r.json"
    assert main(["compare", str(source), "--report", str(report), *options]) == 2
    assert capsys.readouterr().err == f"onespike: {message}\n"
    assert sorted(source.parent.iterdir()) == before


EXCLUDE = "--preset and --config exclude each other, not 'tiny' with x.toml"


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (("--seed", "0"), "--seed must be an integer in 1..4294967295, not 0"),
        (("--steps", "0"), "--steps must be an integer in 1..1024, not 0"),
        (
            ("--preset", "tiny", "--config", "x.toml"),
            f"{EXCLUDE} (a configuration file names its preset with base)",
        ),
        (("--preset", "huge"), f"preset must be one of {', '.join(PRESETS)}, not 'huge'"),
        (("--engine-config", "absent.toml"), "absent.toml: cannot be read (No such file or directory)"),
    ],
)
def test_mistakes(
    options: tuple[str, ...], message: str, rates: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    refused(capsys, message, rates, *options)


@pytest.mark.parametrize(
    ("option", "lines", "more", "message"),
    [
        (
            "--engine-config",
            "tokens = 9\nhead_dim = 16\nwidth = [32]",
            (),
            "file.toml: width must be a width with a known maximal polynomial, 3..64, not [32]",
        ),
        (
            "--engine-config",
            "tokens = 9\nhead_dim = 16\nsteps = 7",
            ("--steps", "8"),
            "--steps must be at most 7 for this engine, not 8",
        ),
        (
            "--engine-config",
            "tokens = 9\nhead_dim = 16\nwidth = 24",
            ("--seed", "16777216"),
            "--seed must be an integer in 1..16777215, not 16777216",
        ),
        (
            "--engine-config",
            "tokens = 8\nhead_dim = 16",
            (),
            "{source}: q must end in the shape [8, 16], not [9, 16]",
        ),
        (
            "--config",
            "tokens = 8",
            (),
            "{source}: SpikedAttention: tokens must be at most 8 in this configuration, not 9",
        ),
    ],
)
def test_bad_configurations(
    option: str,
    lines: str,
    more: tuple[str, ...],
    message: str,
    rates: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "file.toml").write_text(f"{lines}\n")
    refused(capsys, message.format(source=rates), rates, option, "file.toml", *more)


@pytest.mark.parametrize(
    ("arrays", "message"),
    [
        (np.full((1, 3, 4), -0.5), "q must hold rates in 0..1, not -0.5 at [0, 0, 0]"),
        (np.ones((5, 1, 3, 4)), "q must be rates [heads, tokens, head_dim], not [5, 1, 3, 4]"),
        (np.full((1, 3, 4), np.nan), "q must be finite, not nan at [0, 0, 0]"),
        (np.ones((1, 3, 0)), "q must have 2, 3 or 4 dimensions and no empty one, not [1, 3, 0]"),
        (np.ones((1, 257, 1)), "tokens must be an integer in 1..256, not 257"),
    ],
)
def test_bad_rates(
    arrays: np.ndarray, message: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "bad.npz"
    np.savez(path, q=arrays, k=arrays, v=arrays)
    refused(capsys, f"{path}: {message}", path)
