"""A design small enough to be built in seconds, and programs that take the place of the tools."""

from pathlib import Path

import pytest

from synth.design import Design
from tests.synth.tool_stand_ins import Echo, StandIns


@pytest.fixture
def echo() -> Design:
    return Design(name="echo", make=Echo, parameters={"width": 8})


@pytest.fixture
def stand_ins(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> StandIns:
    """Programs on PATH in place of the tools, each answering at once."""
    found = StandIns(tmp_path / "bin")
    found.folder.mkdir()
    found.answer()
    monkeypatch.setenv("PATH", f"{found.folder}:/usr/bin:/bin")
    return found
