"""The smallest preset of each family through the whole flow, against its budget.

Builds stay in the user's cache folder: the flow makes one anew when what goes into its tools changes, and
all are made anew when a source of `synth` does.
"""

import json
from pathlib import Path
from typing import Any

import pytest

import synth
from golden.attention.config import preset, to_table
from onespike.cli import main
from sim.verilator.cache import cached, digest
from synth.boards import BOARDS
from synth.budgets import budgets, presets_of
from synth.design import Design
from synth.flow import build
from synth.report import BuildReport

STAGES = [" generate", " synthesise", " place and route", " pack"]


def kept(parameters: dict[str, Any]) -> Path:
    """Folder of the builds that these sources made of a design with these parameters."""
    sources = sorted(path for place in synth.__path__ for path in Path(place).glob("*.py"))
    parts = (json.dumps(parameters, sort_keys=True), *(path.read_text() for path in sources))
    return cached("place-and-route", digest(parts), lambda folder: None)


# One of each family; the others differ in pins and size (tests/synth/test_synth_boards.py)
FIRST = {board.family.name: board.name for board in reversed(BOARDS.values())}


@pytest.mark.parametrize("board", FIRST.values())
def test_smallest_preset(
    board: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    name = presets_of(BOARDS[board])[0]
    monkeypatch.chdir(kept(to_table(preset(name))))
    report_file, bits = tmp_path / "r.json", tmp_path / "bits"
    words = ["synth", "--board", board, "--preset", name, "--report", str(report_file)]
    assert main([*words, "-o", str(bits)]) == 0
    said = capfd.readouterr()
    stages = [line.split(":")[1] for line in said.err.splitlines()]
    assert stages == STAGES or (stages in ([], STAGES[:1]) and "(made before)" in said.out)
    figures = json.loads(report_file.read_text())
    report = BuildReport(
        **{key: value for key, value in figures.items() if key not in ("closed", "throughput")}
    )
    assert budgets()[board][name].exceeded(report) == []
    assert report.parameters == to_table(preset(name))
    # A multiplier would have become logic, or been a DSP
    assert report.dsps == 0
    assert bits.stat().st_size == report.bitstream_bytes > 10_000
    assert figures["throughput"]["clock_mhz"] == report.clock_mhz
    # The same again is there already
    assert main(words) == 0
    said = capfd.readouterr()
    assert said.err == ""
    assert "(made before)" in said.out


def test_same_seed_same_bits(tmp_path: Path, echo: Design) -> None:
    board = BOARDS["icebreaker"]
    stages: list[str] = []

    def note(stage: str, state: str, seconds: float) -> None:
        if f" {stage}" not in stages[-1:]:
            stages.append(f" {stage}")

    made = [
        build(board, echo, seed=seed, root=tmp_path / str(n), on_stage=note)
        for n, seed in enumerate((1, 1, 2))
    ]
    assert stages == 3 * STAGES
    assert not any(each.cached for each in made)
    bits = [each.bitstream.read_bytes() for each in made]
    assert bits[0] == bits[1] != bits[2]
