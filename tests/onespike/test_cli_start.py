"""Starting the command line loads no library that only some commands need."""

import subprocess
import sys

import pytest

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
    from onespike.cli import app

    names = [command.name or command.callback.__name__ for command in app.registered_commands]
    names += [group.name for group in app.registered_groups]
    assert {"attention", "sweep", "stochastic"} <= set(names)
    assert loaded(*([name, "--help"] for name in names)) & HEAVY == set()


def test_a_command_that_needs_one_loads_it() -> None:
    assert "amaranth" in loaded(["boards"])
