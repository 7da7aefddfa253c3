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
        (["--clock-pj", "-1"], "must be a number of pJ"),
    ):
        assert main(["energy", "hardware", *wrong]) == 2
        assert message in capsys.readouterr().err
