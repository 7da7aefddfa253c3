"""From a design to a bitstream: generate, synthesise, place and route, pack; cached by what goes in."""

import fcntl
import hashlib
import inspect
import json
import re
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import amaranth

from golden.errors import InputError, writing
from synth import carry_cells, commands, output_registers
from synth.boards import Board
from synth.design import Design, board_top
from synth.estimate import TOLERANCE
from synth.fit import check_fit, check_memories
from synth.netlist import pack, resources_of
from synth.report import BuildReport, TimingError, make_report, warnings
from synth.tools import Origin, Tool, ToolError, find_tools, run_tool
from synth.units import by_unit, die

ROOT = Path("build/synth")
SOURCES = ("golden", "hw", "synth")
PLACE = "place and route"
STAGES = ("generate", "synthesise", PLACE, "pack")
REPORT = "report.json"
# Places of the cells by unit, see `synth.units.die`
DIE = "die.json"

State = Literal["running", "done", "cached"]
OnStage = Callable[[str, State, float], None]


@dataclass(frozen=True, kw_only=True)
class Build:
    """A finished build.

    Attributes:
        directory: holds bitstream, netlist, logs and report.
        bitstream: what is loaded into the FPGA.
        report: figures.
        cached: nothing had to be done.
    """

    directory: Path
    bitstream: Path
    report: BuildReport
    cached: bool


def build(
    board: Board,
    design: Design,
    *,
    clock: float | None = None,
    seed: int = 1,
    tools: Origin = "auto",
    root: Path = ROOT,
    on_stage: OnStage = lambda stage, state, seconds: None,
) -> Build:
    """Make a bitstream that meets timing, or find the one made before.

    Args:
        clock: Hz; the board's own when absent.
        seed: of place and route.
        tools: where the programs come from.
        root: folder of all builds.
        on_stage: called when a stage begins, a few times a second while it runs, and at its end,
            with its seconds.

    Raises:
        InputError: a bad parameter, a missing tool, a design that does not fit the device, or no
            place for the build.
        ToolError: a tool failed or left a constraint out; names the log.
        TimingError: the clock was not reached.
    """
    clock = board.clock if clock is None else clock
    if seed < 0:
        raise InputError(f"seed must be at least 0, not {seed}")
    found = find_tools(board.family.tools, tools)
    board.check_clock(clock)
    if (need := design.estimate(board.family)) is not None:
        check_fit(board, design, need, "is estimated to need", tolerance=TOLERANCE)
    place = root / board.name
    # Unchanged sources need not even be generated again
    shortcut = place / f"{design.name}-{_source_key(board, design, clock, seed, found)}.path"
    if shortcut.exists() and (ready := _finished(place / shortcut.read_text())):
        on_stage("all stages", "cached", 0.0)
        return ready

    if need is None:
        check_memories(board, design)
    with writing(f"folder of builds {place}"):
        place.mkdir(parents=True, exist_ok=True)
    begin = time.monotonic()
    on_stage("generate", "running", 0.0)
    files = commands.generate(board, board_top(board, design, clock), dsp=design.dsp)
    on_stage("generate", "done", time.monotonic() - begin)
    name = f"{design.name}-{_design_key(board, files, clock, seed, found)}"
    directory = place / name
    with _locked(place / f"{name}.lock"):
        ready = _finished(directory)
        if ready is None:
            directory.mkdir(exist_ok=True)
            _run(directory, files, board, design, clock, seed, found, on_stage)
            made = _finished(directory)
            assert made is not None
            shortcut.write_text(name)
            return Build(directory=directory, bitstream=made.bitstream, report=made.report, cached=False)
    on_stage("later stages", "cached", 0.0)
    shortcut.write_text(name)
    return ready


def _run(
    directory: Path,
    files: Mapping[str, str],
    board: Board,
    design: Design,
    clock: float,
    seed: int,
    tools: Mapping[str, Tool],
    on_stage: OnStage,
) -> None:
    """Run the stages; the report, written last, marks the directory as complete."""
    for file, text in files.items():
        (directory / file).write_text(text)
    seconds: dict[str, float] = {}
    for stage, tool, arguments in commands.stages(board, clock, seed):
        on_stage(stage, "running", 0.0)

        def heartbeat(so_far: float, stage: str = stage) -> None:
            on_stage(stage, "running", so_far)

        log = directory / log_name(stage)
        seconds[stage] = run_tool(tools[tool], arguments, directory, log, heartbeat)
        on_stage(stage, "done", seconds[stage])
        if stage == "synthesise":
            top = pack(directory / commands.NETLIST, board.family)
            resources = resources_of(top, board.family)
            check_fit(board, design, resources)
            units = by_unit(top["cells"], board.family)
        elif stage == PLACE:
            check_constraints(log)
            timing = json.loads((directory / commands.TIMING).read_text())
            report = make_report(board, design, resources, units, timing, clock, seed, tools)
            placed = directory / f"{commands.TOP}{board.family.placed}"
            (directory / DIE).write_text(json.dumps(die(placed)))
            if board.family.placed != board.family.routed:
                placed.unlink()  # larger than everything else
            if not report.closed:
                break
    bitstream = directory / report.bitstream
    size = bitstream.stat().st_size if report.closed else 0
    said = (directory / log_name(stage) for stage in seconds)
    report = report.finished(
        bitstream_bytes=size,
        seconds=seconds,
        warnings=warnings(log.read_text(errors="replace") for log in said),
    )
    scratch = directory / f"{REPORT}.new"
    scratch.write_text(report.to_json())
    scratch.replace(directory / REPORT)


def check_constraints(log: Path) -> None:
    """Raise ToolError if place and route left a constraint out: the figures would be of another design."""
    for line in log.read_text(errors="replace").splitlines():
        if re.search(r"\bwarning:.*\bconstraint\b", line, re.IGNORECASE):
            raise ToolError(f"place and route must follow every constraint, see {log}: {line.strip()}")


def _finished(directory: Path) -> Build | None:
    """The build in a directory, or None if it is not complete.

    Raises:
        TimingError: it is, and the clock was not reached.
    """
    try:
        report = BuildReport.from_json((directory / REPORT).read_text())
    except (OSError, ValueError, TypeError, KeyError):
        return None
    if not report.closed:
        raise TimingError(report, directory / log_name(PLACE))
    bitstream = directory / report.bitstream
    if not bitstream.is_file():
        return None
    return Build(directory=directory, bitstream=bitstream, report=report, cached=True)


def log_name(stage: str) -> str:
    """File of what the tool of a stage said."""
    return f"{stage.replace(' ', '-')}.log"


def _design_key(
    board: Board, files: Mapping[str, str], clock: float, seed: int, tools: Mapping[str, Tool]
) -> str:
    plan = [(stage, tool, list(arguments)) for stage, tool, arguments in commands.stages(board, clock, seed)]
    versions = {name: tool.version for name, tool in tools.items()}
    packers = (carry_cells, output_registers) if board.family.packs_cells else ()
    return _key(
        *map(inspect.getsource, packers),
        json.dumps(plan),
        json.dumps(versions, sort_keys=True),
        json.dumps(dict(files), sort_keys=True),
    )


def _source_key(board: Board, design: Design, clock: float, seed: int, tools: Mapping[str, Tool]) -> str:
    root = Path(__file__).parents[1]
    sources = [path for folder in SOURCES for path in sorted((root / folder).rglob("*.py"))]
    texts = [f"{path.relative_to(root)}\n{path.read_text()}" for path in sources]
    parameters = json.dumps([dict(design.parameters), clock, seed], sort_keys=True)
    versions = [tool.version for tool in tools.values()]
    return _key(board.name, design.name, amaranth.__version__, parameters, *versions, *texts)


def _key(*parts: str) -> str:
    total = hashlib.sha256()
    for part in parts:
        data = part.encode()
        total.update(len(data).to_bytes(8, "little") + data)
    return total.hexdigest()[:16]


@contextmanager
def _locked(path: Path) -> Iterator[None]:
    """Two builds of the same thing: the second waits and finds it done."""
    with path.open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield
