"""The smallest preset of each family through the whole flow, against its budget."""

import json
from pathlib import Path

import pytest

from golden.attention.config import preset, to_table
from onespike.cli import main
from synth.boards import BOARDS
from synth.budgets import budgets, presets_of
from synth.design import Design
from synth.flow import build
from synth.report import BuildReport


@pytest.mark.parametrize("board", BOARDS)
def test_smallest_preset(
    board: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    name = presets_of(BOARDS[board])[0]
    words = ["synth", "--board", board, "--preset", name, "--report", "r.json"]
    assert main([*words, "-o", "bits"]) == 0
    said = capfd.readouterr()
    assert [line.split(":")[1] for line in said.err.splitlines()] == [
        " generate",
        " synthesise",
        " place and route",
        " pack",
    ]
    figures = json.loads(Path("r.json").read_text())
    report = BuildReport(
        **{key: value for key, value in figures.items() if key not in ("closed", "throughput")}
    )
    assert budgets()[board][name].exceeded(report) == []
    assert report.parameters == to_table(preset(name))
    # A multiplier would have become logic, or been a DSP
    assert report.dsps == 0
    assert Path("bits").stat().st_size == report.bitstream_bytes > 10_000
    assert figures["throughput"]["clock_mhz"] == report.clock_mhz
    # The same again is there already
    assert main(words) == 0
    said = capfd.readouterr()
    assert said.err == ""
    assert "(made before)" in said.out


def test_same_seed_same_bits(tmp_path: Path, echo: Design) -> None:
    board = BOARDS["icebreaker"]
    made = [build(board, echo, seed=seed, root=tmp_path / str(n)) for n, seed in enumerate((1, 1, 2))]
    assert not any(each.cached for each in made)
    bits = [each.bitstream.read_bytes() for each in made]
    assert bits[0] == bits[1] != bits[2]
