"""`onespike energy`: tables for people, reports for programs, one line for mistakes."""

import json
import re
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
    out = capsys.readouterr().out
    assert "unknown" in out
    assert re.search(r"^ +1 +scaled: a share of 64 bits: 10 pJ at 8 KiB", out, re.MULTILINE)
    written = json.loads(report.read_text())
    known = [line["microjoule"] for line in written["spiking"]["lines"] if line["microjoule"] is not None]
    assert written["spiking"]["microjoule"] == pytest.approx(sum(known))
    for wrong, message in (
        (["--tokens", "0"], "--tokens must be an integer in 1..1024, not 0"),
        (["--preset", "tiny", "--tokens", "400"], "tokens must be at most 16"),
        (["--clock-pj", "-1"], "must be a number in 0..1e+12, not"),
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
    counts = json.dumps({"modes": {"linear": {"activity": activity}}})
    nothing = "[" * 5000 + "]" * 5000
    for spikes in ("NaN", "1e400", "11", "-1", "9" * 400, '"5"', "null", nothing):
        measured.write_text(counts.replace('"spikes": 5', f'"spikes": {spikes}'))
        assert main([*start, "--activity", str(measured)]) == 2
        assert "must be a report of onespike evaluate" in capsys.readouterr().err
    measured.write_text("[]")
    assert main([*start, "--activity", str(measured)]) == 2
    assert "must be a report of onespike evaluate" in capsys.readouterr().err


def test_stochastic(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    report = tmp_path / "report.json"
    shape = ["--heads", "2", "--tokens", "8", "--head-dim", "4", "--steps", "3"]
    start = ["energy", "stochastic", *shape, "--report", str(report)]
    assert main(start) == 0
    out = capsys.readouterr().out
    written = json.loads(report.read_text())
    bound = written["schemes"]
    for name, scheme in bound.items():
        for part in ("compute", "memory"):
            assert f"{name}: {part}\n" in re.sub(" *\n", "\n", out)
            assert scheme[part]["ratio"] == pytest.approx(
                scheme[part]["microjoule"] / bound["stochastic"][part]["microjoule"]
            )
            assert all(line["source"] for line in scheme[part]["lines"])
    lines = {line["name"]: line for line in bound["stochastic"]["compute"]["lines"]}
    assert lines["AND gates"]["count"] == 2 * 2 * 3 * 8 * 8 * 4
    assert lines["clock and idle"]["microjoule"] is None
    counted = written["sensitivity"]["ratios"]["as counted"]
    assert counted == {part: bound["float, 8 bits"][part]["ratio"] for part in ("compute", "memory")}
    # The constant in a line, the number of its source there, and the source itself under that number
    row = re.search(r"AND gates +3,072 +0\.00375 .* (\d+) *\n", out)
    assert row is not None
    assert re.search(rf"^ +{row[1]} +assumed: a bit of an adder, which holds two", out, re.MULTILINE)
    assert main([*start, "--register-pj", "0.01"]) == 0
    given = json.loads(report.read_text())["schemes"]["stochastic"]["compute"]
    numbers = next(line for line in given["lines"] if line["name"] == "random numbers")
    # 2 heads, 3 steps: 8 registers for the columns, 8 for the rows that move in each of 4 features
    assert numbers["microjoule"] == pytest.approx(2 * 3 * (8 + 4 * 8) * 32 * 0.01 / 1e6)
    capsys.readouterr()
    assert main([*start, "--steps", "1000"]) == 0
    assert "no constant gives the paper's 6.3" in capsys.readouterr().out
    assert main([*start, "--rate", "1.5"]) == 2
    assert "must be a number in 0..1, not '1.5'" in capsys.readouterr().err
