"""Load a bitstream into a board's FPGA."""

import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

from golden.errors import InputError
from synth.boards import Board
from synth.tools import ToolError


@dataclass(frozen=True)
class Loader:
    """A program that configures a board.

    Attributes:
        name: of the program.
        command: its path and its arguments before the bitstream.
    """

    name: str
    command: tuple[str, ...]


def find_loader(board: Board) -> Loader:
    """The first loader of the board that is installed.

    Raises:
        InputError: none is.
    """
    for name, *arguments in board.loaders:
        if path := shutil.which(name):
            return Loader(name, (path, *arguments))
    names = " or ".join(loader[0] for loader in board.loaders)
    raise InputError(
        f"{board.name} needs {names} on PATH, not found (on Debian: apt-get install openfpgaloader)"
    )


def load(board: Board, loader: Loader, bitstream: Path) -> None:
    """Configure the board, until it loses power.

    Raises:
        ToolError: the loader failed, most often because the board is not connected.
    """
    done = subprocess.run([*loader.command, str(bitstream)], capture_output=True, text=True, check=False)
    if done.returncode:
        said = [line.strip() for line in (done.stdout + done.stderr).splitlines() if line.strip()]
        reason = said[-1] if said else f"status {done.returncode}"
        raise ToolError(f"{loader.name} could not load {board.title} ({reason}); is the board connected?")
