"""`onespike dev`: the rules for bad input hold, and an engine alone is measured as its report says."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.onespike.conftest import Ran

MISTAKES = {
    "soak --frames 0": r"--frames must be an integer in 1\.\.1000000000, not 0",
    "soak --minutes x": r"'--minutes': must be a number in 0\.\.1e\+06, not 'x'",
    "soak --seed -1": r"--seed must be an integer in 0\.\.4294967295, not -1",
    "area --size 0": r"tokens must be an integer in 1\.\.256, not 0",
    "area --size 8 --rows 9": r"rows must be an integer in 1\.\.8, not 9",
    "area --scheme spiked --plans": "--plans needs --scheme stochastic, not spiked",
    "area --frequency 0": r"'--frequency': must be a number in 0\.001\.\.1e\+06 MHz, not '0'",
    "area --report no/r.json": "--report no/r.json: cannot be written .No such file",
    "board-table": "docs/boards.md is to be written: must run in the repository's folder",
    "estimate --once": "No such option: --once",
}


@pytest.mark.parametrize("words", MISTAKES)
def test_mistakes(refused: Callable[..., str], words: str) -> None:
    refused("dev", *words.split(), says=MISTAKES[words])


@pytest.mark.parametrize(("option", "known"), [("--board", "ulx3s-85f"), ("--preset", "default")])
def test_unknown_rows(refused: Callable[..., str], folder: Path, option: str, known: str) -> None:
    """Before anything is built or written."""
    (folder / "docs").mkdir()
    (folder / "docs" / "boards.md").write_text("")
    refused("dev", "board-table", option, "other", says=f"{option} must be one of {known}, .* not 'other'")


def test_area(run: Callable[..., Ran], folder: Path) -> None:
    ran = run("dev", "area", "--size", "2", "--encoders", "--report", "r.json", "-o", "tools")
    assert ran.status == 0
    report = json.loads((folder / "r.json").read_text())
    assert (report["size"], report["head_dim"], report["rows"]) == (2, 2, 2)
    ((label, engine),) = report["engines"].items()
    assert label.endswith(", encoders")
    assert engine["lut4"] > engine["flip_flops"] / 2 > 0
    assert engine["dsps"] == 0
    assert engine["tools"]["yosys"]
    assert label in ran.out
