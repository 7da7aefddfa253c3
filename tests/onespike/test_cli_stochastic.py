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


def test_seed_of_a_wide_register(rates: Path, tmp_path: Path) -> None:
    """Its limit is the register's, not that of the 32 bits of the default plan."""
    (tmp_path / "engine.toml").write_text("tokens = 5\nhead_dim = 6\nwidth = 40\n")
    options = ("--config", str(tmp_path / "engine.toml"), "--report", str(tmp_path / "r.json"))
    assert run(rates, tmp_path / "out.npz", *options, "--seed", str(1 << 33)) == 0
    assert json.loads((tmp_path / "r.json").read_text())["seed"] == 1 << 33


def refused(
    capsys: pytest.CaptureFixture[str], message: str, source: Path, target: Path, *options: str
) -> None:
    """Status 2, exactly this line, and nothing written."""
    capsys.readouterr()
    before = sorted(target.parent.iterdir())
    assert run(source, target, *options) == 2
    assert capsys.readouterr().err == f"onespike: {message}\n"
    assert sorted(target.parent.iterdir()) == before


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (("--steps", "0"), "--steps must be an integer in 1..1024, not 0"),
        (("--steps", "-3"), "--steps must be an integer in 1..1024, not -3"),
        (("--steps", "1025"), "--steps must be an integer in 1..1024, not 1025"),
        (
            ("--steps", "1.5"),
            "Invalid value for '--steps': must be an integer, not '1.5' (see onespike --help)",
        ),
        (("--seed", "0"), "--seed must be an integer in 1..4294967295, not 0"),
        (("--seed", "-1"), "--seed must be an integer in 1..4294967295, not -1"),
        (("--seed", "4294967296"), "--seed must be an integer in 1..4294967295, not 4294967296"),
        (("--window", "3"), "--window needs --scheme spiked or key-serial, not stochastic"),
        (("--preset", "tiny"), "--preset needs --scheme spiked or key-serial or integer, not stochastic"),
        (("--waves", "w.fst"), "--waves needs --engine rtl, not golden, which has no signals to show"),
        (("--port", "/dev/ttyUSB0"), "--port needs --engine board, not golden"),
        (("--engine", "board"), "--engine board needs --port, the serial port of the board"),
        (("--config", "absent.toml"), "absent.toml: cannot be read (No such file or directory)"),
    ],
)
def test_mistakes(
    options: tuple[str, ...], message: str, rates: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    refused(capsys, message, rates, tmp_path / "out.npz", *options)


WIDTH = "engine.toml: width must be a width with a known maximal polynomial, 3..64, not"
KEYS = (
    "tokens, head_dim, rows, steps, rate_bits, mask, encoders, "
    "width, draw_bits, leap, seed, score, output, encoder, allow_dependent"
)


@pytest.mark.parametrize(
    ("lines", "options", "message"),
    [
        ("width = 65", (), f"{WIDTH} 65"),
        ("width = 2", (), f"{WIDTH} 2"),
        ("width = 32.0", (), f"{WIDTH} 32.0"),
        ("width = [32]", (), f"{WIDTH} [32]"),
        ("[width]", (), f"{WIDTH} {{}}"),
        ("seed = 0", (), "engine.toml: seed must be an integer in 1..4294967295, not 0"),
        ("lanes = 5", (), f"engine.toml: unknown key 'lanes'; allowed are {KEYS}"),
        (
            'score = "foo"',
            (),
            "engine.toml: score must be one of unit, row, array, column-broadcast, row-broadcast, not 'foo'",
        ),
        (
            'width = 16\nscore = "array"\nsteps = 1024',
            (),
            "engine.toml: width must give 1024 time steps of distinct draws, not 16, which gives 7",
        ),
        (
            "draw_bits = 1",
            (),
            "engine.toml: draw_bits must be at least 8 for 5 tokens, 6 features and rate_bits = 8, not 1",
        ),
        ("steps = 0", (), "engine.toml: steps must be an integer in 1..1024, not 0"),
        ("steps = 7", ("--steps", "8"), "--steps must be at most 7 for this engine, not 8"),
        ("width = 20", ("--seed", "1048576"), "--seed must be an integer in 1..1048575, not 1048576"),
    ],
)
def test_configurations(
    lines: str,
    options: tuple[str, ...],
    message: str,
    rates: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "engine.toml").write_text(f"tokens = 5\nhead_dim = 6\n{lines}\n")
    refused(capsys, message, rates, tmp_path / "out.npz", "--config", "engine.toml", *options)


@pytest.mark.parametrize(
    ("shape", "value", "options", "message"),
    [
        ((1, 2, 3), -0.1, (), "{source}: k must hold rates in 0..1, not -0.1 at [0, 1, 2]"),
        ((1, 2, 3), 1.5, (), "{source}: k must hold rates in 0..1, not 1.5 at [0, 1, 2]"),
        ((1, 2, 3), np.nan, (), "{source}: k must be finite, not nan at [0, 1, 2]"),
        ((4, 1, 2, 3), 2, (), "{source}: k must hold a spike train of 0 and 1, not 2 at [3, 0, 1, 2]"),
        ((4, 1, 2, 3), 0.5, (), "{source}: k must hold a spike train of 0 and 1, not 0.5 at [3, 0, 1, 2]"),
        ((4, 1, 2, 3), 1, ("--steps", "5"), "--steps must agree with the trains of {source} (4), not 5"),
        ((1025, 1, 1, 1), 1, (), "{source}: steps must be at most 1024 for this engine, not 1025"),
        ((1, 257, 1), 1, (), "{source}: tokens must be an integer in 1..256, not 257"),
        ((1, 1, 257), 1, (), "{source}: head_dim must be an integer in 1..256, not 257"),
        (
            (0, 1, 2, 3),
            1,
            (),
            "{source}: q must have 2, 3 or 4 dimensions and no empty one, not [0, 1, 2, 3]",
        ),
    ],
)
def test_arrays(
    shape: tuple[int, ...],
    value: float,
    options: tuple[str, ...],
    message: str,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """Arrays of ones but for the last value of k."""
    source = tmp_path / "in.npz"
    q = np.ones(shape)
    bad = q.copy()
    bad.flat[-1:] = value
    np.savez(source, q=q, k=bad, v=q)
    refused(capsys, message.format(source=source), source, tmp_path / "out.npz", *options)


def test_steps_belong_to_the_stochastic_scheme(
    rates: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["attention", str(rates), str(tmp_path / "out.npz"), "--steps", "4"]) == 2
    rule = "--steps needs --scheme stochastic, not spiked"
    assert capsys.readouterr().err == f"onespike: {rule}\n"


def test_rtl_reads_the_same_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "engine.toml").write_text("tokens = 5\nhead_dim = 6\nwidth = [32]\n")
    assert main(["rtl", "-o", "out", "--scheme", "stochastic", "--config", "engine.toml"]) == 2
    assert capsys.readouterr().err == f"onespike: {WIDTH} [32]\n"
    assert not (tmp_path / "out").exists()
