"""What this installation has, what it lacks, and how to get it."""

import os
import platform
import re
import shutil
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, metadata, requires, version
from pathlib import Path

from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet

from golden.errors import InputError

MAIN_JOB, TESTS = "the main job", "make test"
DEBIAN = "on Debian and Ubuntu: apt-get install"
# What each extra is for
EXTRAS = {
    "dev": TESTS,
    "models": "weights of pretrained models",
    "html": "--html, reports for the browser",
    "docs": "make docs",
    "formal": "make prove",
    "torch": "import onespike.torch",
    "train": "training scripts",
    "fpga": "make synth",
}


@dataclass(frozen=True, kw_only=True)
class Finding:
    """One thing that a part of Onespike needs.

    Attributes:
        what: its name.
        needed_for: the part; `MAIN_JOB` for what nothing runs without.
        wanted: version or state that is asked for; "" where any will do.
        found: version or state; None where it is missing.
        good: whether what is found will do.
        remedy: how to get it, in one line.
    """

    what: str
    needed_for: str
    wanted: str = ""
    found: str | None
    good: bool
    remedy: str = ""


def findings() -> list[Finding]:
    """Everything, in the order in which it is needed; a missing package of the project hides the rest."""
    project = [_python(), *_packages("", MAIN_JOB, "pip install -e .")]
    if any(finding.found is None for finding in project):
        return project  # to look at the rest takes these packages
    return [
        *project,
        _program("g++", MAIN_JOB, f"{DEBIAN} build-essential"),
        *_cache(),
        _program("make", TESTS, f"{DEBIAN} build-essential"),
        _program("perl", TESTS, f"{DEBIAN} perl"),
        *(
            finding
            for extra, purpose in EXTRAS.items()
            for finding in _packages(extra, purpose, f"pip install -e '.[{extra}]'")
        ),
        *_place_and_route(),
        *_boards(),
        _ports(),
    ]


def _python() -> Finding:
    wanted, here = metadata("onespike")["Requires-Python"], platform.python_version()
    good = SpecifierSet(wanted).contains(here, prereleases=True)
    remedy = "make PYTHON=... with another Python, in a fresh clone"
    return Finding(what="Python", needed_for=MAIN_JOB, wanted=wanted, found=here, good=good, remedy=remedy)


def _packages(extra: str, purpose: str, remedy: str) -> Iterator[Finding]:
    """The packages that the project asks for, alone ("") or with an extra, against those installed."""
    for requirement in _requirements(extra):
        try:
            found = version(requirement.name)
        except PackageNotFoundError:
            found = None
        yield Finding(
            what=requirement.name,
            needed_for=purpose,
            wanted=str(requirement.specifier),
            found=found,
            good=found is not None and requirement.specifier.contains(found, prereleases=True),
            remedy=remedy,
        )


def _requirements(extra: str) -> Iterator[Requirement]:
    """What was asked for at the installation; other extras that an extra names have rows of their own."""
    for text in requires("onespike") or ():
        requirement = Requirement(text)
        marker = requirement.marker
        alone = marker is None or marker.evaluate({"extra": ""})
        asked = marker is None or marker.evaluate({"extra": extra})
        if asked and alone == (not extra) and requirement.name != "onespike":
            yield requirement


def _program(name: str, purpose: str, remedy: str) -> Finding:
    from synth.tools import native_version

    path = shutil.which(name)
    said = native_version(path) if path else None
    number = re.search(r"\d+\.\d+[\d.]*", said or "")
    found = number[0] if number else said
    return Finding(what=name, needed_for=purpose, found=found, good=path is not None, remedy=remedy)


def _cache() -> Iterator[Finding]:
    """The folder of compiled simulators, and what it takes of its disk."""
    from sim.verilator.cache import cache_folder

    folder = cache_folder()
    there = next(path for path in (folder, *folder.parents) if path.exists())
    yield Finding(
        what="writable cache",
        needed_for=MAIN_JOB,
        found=str(folder),
        good=there.is_dir() and os.access(there, os.W_OK | os.X_OK),
        remedy="XDG_CACHE_HOME chooses another place for the cache",
    )
    free = shutil.disk_usage(there).free
    yield Finding(
        what="room for the cache",
        needed_for=MAIN_JOB,
        found=f"{_bytes(folder) / 1e6:,.0f} MB used, {free / 1e9:,.1f} GB free",
        good=free > 0,
        remedy="make room, or have XDG_CACHE_HOME choose another disk for the cache",
    )


def _bytes(folder: Path) -> int:
    """Size of all files; other processes may remove some meanwhile."""
    total = 0
    for place, _, names in os.walk(folder):
        for name in names:
            with suppress(OSError):
                total += Path(place, name).lstat().st_size
    return total


def _place_and_route() -> Iterator[Finding]:
    from synth.families import FAMILIES
    from synth.tools import find_tools

    for family in FAMILIES.values():
        found, remedy = None, ""
        try:
            tools = find_tools(family.tools)
            found = tools[family.place_and_route].version
        except InputError as error:
            remedy = f"{error}"
        what = f"tools of {family.name}"
        yield Finding(what=what, needed_for="make synth", found=found, good=found is not None, remedy=remedy)


def _boards() -> Iterator[Finding]:
    from synth.boards import BOARDS
    from synth.program import find_loader

    for board in BOARDS.values():
        found, remedy = None, ""
        try:
            found = find_loader(board).name
        except InputError as error:
            remedy = f"{error}"
        what = f"loader of {board.name}"
        yield Finding(
            what=what, needed_for="make program", found=found, good=found is not None, remedy=remedy
        )


def _ports() -> Finding:
    from serial.tools.list_ports import comports

    ports = [port.device for port in comports()]
    shut = [name for name in ports if Path(name).exists() and not os.access(name, os.R_OK | os.W_OK)]
    remedy = f"join the group that owns {', '.join(shut)}" if shut else "connect a board"
    return Finding(
        what="serial ports",
        needed_for="boards",
        found=", ".join(ports) or None,
        good=bool(ports) and not shut,
        remedy=remedy,
    )
