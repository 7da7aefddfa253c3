"""Load a bitstream into a board's FPGA."""

import shutil
import subprocess
from pathlib import Path

from golden.errors import InputError
from synth.boards import Board
from synth.tools import ToolError


def program(board: Board, bitstream: Path) -> str:
    """Configure the board, until it loses power, with the loader that is installed.

    Returns:
        Name of the loader.

    Raises:
        InputError: no loader is installed.
        ToolError: the loader failed, most often because the board is not connected.
    """
    for name, *arguments in board.loaders:
        path = shutil.which(name)
        if path is None:
            continue
        done = subprocess.run([path, *arguments, str(bitstream)], capture_output=True, text=True, check=False)
        if done.returncode:
            said = [line.strip() for line in (done.stdout + done.stderr).splitlines() if line.strip()]
            reason = said[-1] if said else f"status {done.returncode}"
            raise ToolError(f"{name} could not load {board.title} ({reason}); is the board connected?")
        return name
    names = " or ".join(loader[0] for loader in board.loaders)
    raise InputError(
        f"{board.name} needs {names} on PATH, not found (on Debian: apt-get install openfpgaloader)"
    )
