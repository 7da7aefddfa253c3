"""A command line that is refused."""

import pytest

from onespike.cli import main


def mistake(capsys: pytest.CaptureFixture[str], *arguments: object) -> str:
    """The one line of a refused command."""
    assert main([str(argument) for argument in arguments]) == 2
    error = capsys.readouterr().err.strip()
    assert error.startswith("onespike: ")
    assert "\n" not in error
    return error
