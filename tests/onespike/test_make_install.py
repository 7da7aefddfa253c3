"""Two `make` in a fresh clone: one installs, the other waits for it."""

import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
# Stands for Python: takes its time for `-m venv .venv` and `-m pip install`, and keeps a diary
PYTHON = """#!/bin/sh
echo "$2 begins" >> diary
sleep 0.2
if [ "$2" = venv ]; then mkdir -p .venv/bin; cp "$0" .venv/bin/python; touch .venv/bin/pip; fi
echo "$2 ends" >> diary
"""
ONCE = {name: [f"{name} begins", f"{name} ends"] for name in ("venv", "pip")}


@pytest.fixture
def clone(folder: Path) -> Path:
    for name in ("Makefile", "pyproject.toml"):
        shutil.copy(ROOT / name, folder / name)
    (folder / "python").write_text(PYTHON)
    (folder / "python").chmod(0o755)
    return folder


def make(clone: Path, *targets: str) -> subprocess.Popen[bytes]:
    return subprocess.Popen(["make", "PYTHON=./python", *targets], cwd=clone)


def diary(clone: Path) -> list[str]:
    return (clone / "diary").read_text().splitlines()


@pytest.mark.skipif(shutil.which("flock") is None, reason="make locks where util-linux is installed")
@pytest.mark.parametrize(
    ("targets", "installs"),
    [((".venv/.installed", ".venv/.installed"), 1), ((".venv/.installed", ".venv/.installed-dev"), 2)],
)
def test_two_at_a_time(clone: Path, targets: tuple[str, str], installs: int) -> None:
    for process in [make(clone, target) for target in targets]:
        assert process.wait() == 0
    assert diary(clone) == ONCE["venv"] + installs * ONCE["pip"]
    assert make(clone, *targets).wait() == 0
    assert len(diary(clone)) == 2 * (1 + installs), "done is done"


def test_environment_that_was_cut_off(clone: Path) -> None:
    """`python -m venv` was interrupted before it came to pip: made again."""
    (clone / ".venv/bin").mkdir(parents=True)
    shutil.copy(clone / "python", clone / ".venv/bin/python")
    assert make(clone, ".venv/.installed").wait() == 0
    assert diary(clone) == ONCE["venv"] + ONCE["pip"]
