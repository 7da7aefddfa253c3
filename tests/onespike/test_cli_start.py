"""Starting the command line loads no library that only some commands need."""

import subprocess
import sys

import pytest

from tests.onespike.commands import COMMANDS

HEAVY = {"sklearn", "scipy", "matplotlib", "amaranth", "joblib", "serial", "torch", "dask", "pandas"}
SCRIPT = """
import sys
from onespike.cli import app, main
for words in {words}:
    assert main(words) == 0
print(*sorted({{name.partition(".")[0] for name in sys.modules}}), file=sys.stderr)
"""


def loaded(*words: list[str]) -> set[str]:
    """Packages in an interpreter that ran these commands."""
    ran = subprocess.run(
        [sys.executable, "-c", SCRIPT.format(words=words)], capture_output=True, text=True, check=True
    )
    return set(ran.stderr.split())


@pytest.mark.parametrize("words", [["--help"], ["presets"]], ids=" ".join)
def test_start(words: list[str]) -> None:
    assert loaded(words) & (HEAVY | {"numpy"}) == {"numpy"}


def test_help_of_every_command() -> None:
    """In one interpreter: none of them loads what only the command itself needs."""
    assert {("attention",), ("stochastic", "demo"), ("dev", "soak")} <= set(COMMANDS)
    assert loaded(*([*words, "--help"] for words in COMMANDS)) & HEAVY == set()


def test_a_command_that_needs_one_loads_it() -> None:
    assert "amaranth" in loaded(["boards"])
