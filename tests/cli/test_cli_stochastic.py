"""onespike attention --scheme stochastic: files in and out, engines that agree, mistakes."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from onespike.cli import main


@pytest.fixture
def rates(tmp_path: Path) -> Path:
    path = tmp_path / "rates.npz"
    q, k, v = np.random.default_rng(2).random((3, 2, 5, 6), dtype=np.float32)
    np.savez(path, q=q, k=k, v=v)
    return path


def run(source: Path, target: Path, *options: str) -> int:
    return main(["attention", str(source), str(target), "--scheme", "stochastic", *options])


def test_engines_agree_on_every_spike(rates: Path, tmp_path: Path) -> None:
    reports: dict[str, Any] = {}
    files: dict[str, dict[str, np.ndarray]] = {}
    for engine in ("golden", "model", "rtl"):
        target, report = tmp_path / f"{engine}.npz", tmp_path / f"{engine}.json"
        options = ("--steps", "7", "--seed", "3", "--engine", engine, "--report", str(report))
        assert run(rates, target, *options) == 0
        reports[engine] = json.loads(report.read_text())
        with np.load(target) as arrays:
            files[engine] = dict(arrays)
    golden = files["golden"]
    assert golden["out"].shape == (7, 2, 5, 6)
    assert golden["out"].dtype == np.uint8
    for engine in ("model", "rtl"):
        assert golden.keys() == files[engine].keys()
        for name, array in golden.items():
            assert np.array_equal(array, files[engine][name]), name
    assert reports["golden"]["cycles"] is None
    assert reports["model"]["cycles"] == reports["rtl"]["cycles"]
    assert reports["rtl"]["seed"] == 3


def test_encoders_of_the_engine(rates: Path, tmp_path: Path) -> None:
    engine, report = tmp_path / "engine.toml", tmp_path / "r.json"
    spikes, cycles = [], []
    for encoders in ("false", "true"):
        engine.write_text(f"tokens = 5\nhead_dim = 6\nrate_bits = 5\nencoders = {encoders}\n")
        target = tmp_path / f"{encoders}.npz"
        options = ("--config", str(engine), "--engine", "rtl", "--report", str(report))
        assert run(rates, target, *options) == 0
        with np.load(target) as arrays:
            spikes.append(arrays["out"])
        cycles.append(json.loads(report.read_text())["cycles"]["total"])
    assert np.array_equal(*spikes)
    assert cycles[1] == cycles[0] + 1


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (("--steps", "0"), "steps"),
        (("--seed", "0"), "seed"),
        (("--window", "3"), "--window needs --scheme spiked"),
        (("--preset", "tiny"), "--preset needs --scheme spiked"),
        (("--waves", "w.fst"), "--waves needs --engine rtl"),
        (("--port", "/dev/ttyUSB0"), "--port needs --engine board"),
        (("--engine", "board"), "--engine board needs --port"),
        (("--config", "absent.toml"), "absent.toml: cannot be read"),
    ],
)
def test_mistakes(
    options: tuple[str, ...], message: str, rates: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    target = tmp_path / "out.npz"
    assert run(rates, target, *options) == 2
    error = capsys.readouterr().err
    assert message in error
    assert error.count("\n") == 1
    assert not target.exists()


@pytest.mark.parametrize("value", [-0.1, 1.5, np.nan])
def test_rates_outside_the_unit_interval(
    value: float, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    source, target = tmp_path / "bad.npz", tmp_path / "out.npz"
    q = np.full((1, 2, 3), 0.5, np.float32)
    bad = q.copy()
    bad[0, 1, 2] = value
    np.savez(source, q=q, k=bad, v=q)
    assert run(source, target) == 2
    error = capsys.readouterr().err
    assert error.count("\n") == 1
    assert "k" in error
    assert not target.exists()


def test_steps_belong_to_the_stochastic_scheme(
    rates: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["attention", str(rates), str(tmp_path / "out.npz"), "--steps", "4"]) == 2
    assert "--steps needs --scheme stochastic" in capsys.readouterr().err
