"""Words that a shell completes."""

import os
import subprocess
import sys

import pytest

from tests.onespike.commands import COMMANDS

SHELLS = ("bash", "zsh", "fish")


def onespike(*words: str, **environment: str) -> list[str]:
    """Lines on stdout of a call as a shell makes it."""
    ran = subprocess.run(
        [sys.executable, "-m", "onespike", *words],
        env=os.environ | environment,
        capture_output=True,
        text=True,
        check=True,
    )
    return ran.stdout.splitlines()


def completed(*words: str) -> set[str]:
    """What bash offers for the last of these words."""
    asked = {"COMP_WORDS": " ".join(("onespike", *words)), "COMP_CWORD": str(len(words))}
    return set(onespike(_ONESPIKE_COMPLETE="complete_bash", **asked))


def test_commands() -> None:
    assert completed("boa") == {"boards", "board-sim"}
    members = {words[1] for words in COMMANDS if words[:1] == ("energy",) and len(words) == 2}
    assert completed("energy", "") == members


def test_options() -> None:
    assert completed("rtl", "--pre") == {"--preset"}


@pytest.mark.parametrize("shell", SHELLS)
def test_script(shell: str) -> None:
    """The script of a shell calls the program by the variable that it answers to."""
    script = "\n".join(onespike(_ONESPIKE_COMPLETE=f"source_{shell}"))
    assert f"_ONESPIKE_COMPLETE=complete_{shell}" in script
