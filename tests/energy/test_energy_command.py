"""`onespike energy`: tables for people, reports for programs, one line for mistakes."""

import json
from pathlib import Path

import pytest

from onespike.cli import main


def test_paper(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    report = tmp_path / "paper.json"
    assert main(["energy", "paper", "bert-base", "--report", str(report)]) == 0
    out = capsys.readouterr().out
    assert "189.723" in out
    assert "163.263" in out
    entries = {entry["quantity"]: entry for entry in json.loads(report.read_text())["entries"]}
    assert entries["float energy"]["published"] == 189.723
    assert main(["energy", "paper", "vit"]) == 2
    assert "MODEL must be one of swin-t, bert-base, not 'vit'" in capsys.readouterr().err


def test_hardware(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    report = tmp_path / "hardware.json"
    small = ["--preset", "tiny", "--heads", "1", "--tokens", "6", "--head-dim", "8"]
    assert main(["energy", "hardware", *small, "--report", str(report)]) == 0
    assert "unknown" in capsys.readouterr().out
    written = json.loads(report.read_text())
    known = [scope["microjoule"] for scope in written["spiking"]["scopes"] if scope["microjoule"] is not None]
    assert written["spiking"]["microjoule"] == pytest.approx(sum(known))
    for wrong, message in (
        (["--tokens", "0"], "--tokens must be at least 1"),
        (["--preset", "tiny", "--tokens", "400"], "tokens must be at most 16"),
        (["--clock-pj", "-1"], "must be a number, at least 0"),
    ):
        assert main(["energy", "hardware", *wrong]) == 2
        assert message in capsys.readouterr().err


def test_network(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    activity = {
        "b.attention.q": {"neurons": 10, "spikes": 5},
        "b.attention.attention": {"neurons": 10, "spikes": 2},
        "b.mlp1.x": {"neurons": 10, "spikes": 4},
    }
    measured, report = tmp_path / "measured.json", tmp_path / "report.json"
    measured.write_text(json.dumps({"modes": {"linear": {"activity": activity}}}))
    start = ["energy", "network", "minilm-l6", "--tokens", "16"]
    assert main([*start, "--report", str(report)]) == 0
    dense = json.loads(report.read_text())
    assert main([*start, "--activity", str(measured), "--report", str(report)]) == 0
    sparse = json.loads(report.read_text())
    assert len(dense["layers"]) == 6 * 7
    assert sparse["spiking"] < dense["spiking"]
    assert sparse["mac"] == dense["mac"]
    assert sparse["densities"] == {"operands": 0.5, "survivors": 0.2, "dense": 0.4, "parts": {"mlp1": 0.4}}
    measured.write_text("[]")
    assert main([*start, "--activity", str(measured)]) == 2
    assert "must be a report of onespike evaluate" in capsys.readouterr().err


def test_stochastic(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    report = tmp_path / "report.json"
    shape = ["--heads", "2", "--tokens", "8", "--head-dim", "4", "--steps", "3"]
    start = ["energy", "stochastic", *shape, "--report", str(report)]
    assert main(start) == 0
    bound = json.loads(report.read_text())["schemes"]
    lines = {scope["name"]: scope for scope in bound["stochastic"]["compute"]["scopes"]}
    assert lines["AND gates"]["events"] == 2 * 2 * 3 * 8 * 8 * 4
    assert lines["random bits"]["events"] == 2 * 3 * 8 * (8 * 2 + 4 * 3)
    assert lines["clock and idle"]["microjoule"] is None
    assert bound["stochastic"]["memory"]["ratio"] == 1
    compute = {name: scheme["compute"] for name, scheme in bound.items()}
    assert compute["float, 8 bits"]["ratio"] == pytest.approx(
        compute["float, 8 bits"]["microjoule"] / compute["stochastic"]["microjoule"]
    )
    assert main([*start, "--register-pj", "0.01", "--sharing", "4"]) == 0
    shared = json.loads(report.read_text())["schemes"]["stochastic"]["compute"]
    random_bits = next(scope for scope in shared["scopes"] if scope["name"] == "random bits")
    assert random_bits["microjoule"] == pytest.approx(lines["random bits"]["events"] / 4 * 0.01 / 1e6)
    assert main([*start, "--rate", "1.5"]) == 2
    assert "rate must be in 0..1, not 1.5" in capsys.readouterr().err
