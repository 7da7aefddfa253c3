"""onespike compare: both schemes on one file, against the reports that each gives alone."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from golden.stochastic.config import StochasticConfig
from golden.stochastic.plan import RandomPlan
from onespike.cli import main
from sim.compare import _areas, measured_area, stochastic_area


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


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (("--seed", "0"), "--seed must be an integer in 1.."),
        (("--steps", "0"), "steps must be an integer in 1..1024, not 0"),
        (("--preset", "tiny", "--config", "x.toml"), "exclude each other"),
        (("--preset", "huge"), "huge"),
        (("--engine-config", "absent.toml"), "absent.toml: cannot be read"),
    ],
)
def test_mistakes(
    options: tuple[str, ...], message: str, rates: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    report = tmp_path / "r.json"
    assert main(["compare", str(rates), "--report", str(report), *options]) == 2
    error = capsys.readouterr().err
    assert message in error
    assert error.count("\n") == 1
    assert not report.exists()


@pytest.mark.parametrize(
    ("arrays", "message"),
    [
        (np.full((1, 3, 4), -0.5), "q must hold rates in 0..1, not -0.5 at [0, 0, 0]"),
        (np.ones((5, 1, 3, 4)), "q must be rates [heads, tokens, head_dim], not [5, 1, 3, 4]"),
        (np.full((1, 3, 4), np.nan), "q"),
        (np.ones((1, 3, 0)), "q"),
    ],
)
def test_bad_rates(
    arrays: np.ndarray, message: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "bad.npz"
    np.savez(path, q=arrays, k=arrays, v=arrays)
    assert main(["compare", str(path)]) == 2
    error = capsys.readouterr().err
    assert message in error
    assert error.count("\n") == 1
