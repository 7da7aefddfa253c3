"""A short soak of the link, each kind of fault a few times; `make soak` is the long one."""

import json
from pathlib import Path

import pytest

from golden.errors import InputError
from onespike.cli import main
from sim.board import soak
from sim.board.faults import FAULTS


def test_short_soak(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    output = tmp_path / "new" / "soak.json"
    words = ("--frames", "100", "--seed", "3", "--minutes", "5", "-o", str(output))
    assert main(["dev", "soak", *words]) == 0
    report = json.loads(output.read_text())
    for way in ("sent", "received"):
        assert set(report[way]) == set(FAULTS)
    assert sum(report["sent"].values()) + sum(report["received"].values()) >= 100
    assert report["closed"] >= 1
    assert report["differences"] == 0
    assert report["completed"] >= 5
    # Nothing is lost without a word: whatever began has an end
    lost = report["jobs"] - report["completed"] - report["closed"]
    assert lost <= sum(report["errors"].values())
    said = capsys.readouterr().out
    assert "seed 3: " in said
    assert "compared with golden, 0 differ" in said


def test_no_frames() -> None:
    with pytest.raises(InputError, match=r"frames must be an integer in 1\.\.1000000000, not 0"):
        soak.soak(0, 1)
