"""Options of the commands about boards, and the build that several of them need."""

import sys
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, TypeVar

import typer
from rich.console import Console
from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

from golden.attention.config import PRESETS
from golden.errors import InputError
from onespike.cores import head_core, network_module
from onespike.options import CLOCK, number, one_of
from onespike.schemes import SCHEMES
from synth.tools import ORIGINS, Origin

if TYPE_CHECKING:
    from sim.board.board import Board as LinkedBoard
    from sim.cores.core import Core
    from studies.boards.throughput import Throughput
    from synth.boards import Board
    from synth.design import Design
    from synth.flow import Build, OnStage

Config = TypeVar("Config")
Job = TypeVar("Job")
Integers = TypeVar("Integers")
# Where whole networks run
HARDWARE = ("rtl", "board")
# Bounds of --timeout in seconds
PATIENCE = (1e-3, 1e6)


CoreNetworkOption = Annotated[
    str | None,
    typer.Option(
        "--network",
        metavar="NAME|FILE",
        help="The core of a whole network instead, as in `onespike infer`, or with --scheme stochastic as in "
        "`onespike stochastic demo`; --config may give its sizes.",
        show_default=False,
    ),
]
HardwareOption = Annotated[
    str,
    typer.Option(
        "--engine",
        metavar="|".join(HARDWARE),
        parser=one_of(HARDWARE),
        help="Where it runs: the simulated RTL, or a board with the network's core at --port.",
    ),
]
BoardOption = Annotated[
    str, typer.Option("--board", metavar="NAME", help="One of those that `onespike boards` lists.")
]
BoardPresetOption = Annotated[
    str | None,
    typer.Option(
        "--preset",
        metavar="NAME",
        help=f"Named configuration: {', '.join(PRESETS)}. [default: the board's, see `onespike boards`]",
        show_default=False,
    ),
]
ClockOption = Annotated[
    float | None,
    typer.Option(
        "--clock",
        metavar="MHZ",
        parser=number(*CLOCK, " MHz"),
        help="Clock of the design. [default: that of preset and board]",
        show_default=False,
    ),
]
ToolsOption = Annotated[
    Origin,
    typer.Option(
        "--tools",
        metavar="|".join(ORIGINS),
        parser=one_of(ORIGINS),
        help="Programs on PATH, those of the Python packages, or the first that are complete.",
    ),
]


SeedsOption = Annotated[
    int,
    typer.Option(
        "--seeds", min=1, metavar="N", help="Of more than one, place and route with seeds 1 to N, too."
    ),
]


PortOption = Annotated[
    str | None,
    typer.Option(
        "--port",
        metavar="PATH",
        help="Serial port of the board, such as /dev/ttyUSB0; `--engine board` only.",
        show_default=False,
    ),
]
TimeoutOption = Annotated[
    float | None,
    typer.Option(
        "--timeout",
        metavar="S",
        parser=number(*PATIENCE, " seconds"),
        help="Seconds without progress after which a board is given up. [default: 10]",
        show_default=False,
    ),
]


@dataclass(frozen=True, kw_only=True)
class Wanted:
    """What to put on which board.

    Attributes:
        board: the board.
        design: the core.
        throughput: what the cycle model says of it at a clock in MHz.
        clock: Hz.
    """

    board: "Board"
    design: "Design"
    throughput: "Throughput"
    clock: float


def board_config(
    board_name: str,
    preset_name: str | None,
    config_file: Path | None,
    clock: float | None,
    network: str | None = None,
    *,
    data: Path | None = None,
    lanes: int | None = None,
    scheme: str = "spiked",
    tokens: int | None = None,
    streamed: bool = False,
    pieces: int | None = None,
    beside: int = 1,
) -> Wanted:
    """Board, core and clock that the options name.

    Args:
        clock: MHz.
        network, data, lanes: the core of a whole network instead; see `onespike.networks`.
        scheme: of attention, spiked or stochastic.
        tokens: rows of the core of a model of sentences.
        streamed: weights of the network are in the board's memory.
        pieces: most neurons of a hidden layer of the network.
        beside: most sentences of an inference, side by side.

    Raises:
        InputError: one of them is not usable.
    """
    from hw.parts.ports_only import ports_only
    from synth.boards import find_board
    from synth.budgets import clock_of
    from synth.design import memory_of

    board = find_board(board_name)
    throughput: Throughput
    core: Core[Any, Any, Any]
    if network is not None:
        networks = network_module(scheme, preset_name)
        whole, job = networks.core_and_job(
            network, data, config_file, lanes, tokens, streamed, pieces, beside
        )
        throughput = networks.throughput(whole, job)
        core, name = whole, Path(network).stem
        design = whole.design(name, job)
    else:
        from studies.boards.throughput import head_throughput

        alone = {"--data": data, "--lanes": lanes, "--tokens": tokens, "--pieces": pieces}
        alone |= {"--side-by-side": None if beside == 1 else beside}
        for option, value in (alone | {"--streamed": streamed or None}).items():
            if value is not None:
                raise InputError(f"{option} is for --network, it must be absent without one, not {value}")
        if SCHEMES[scheme].preset is not None and preset_name is None and config_file is None:
            preset_name = board.preset
        heads = head_core(scheme, preset_name, config_file)
        core, throughput = heads, partial(head_throughput, heads)
        name = str(preset_name) if config_file is None else config_file.stem
        design = heads.design(name)
    default_clock = clock_of(board, name) if core.clock is None else core.clock
    hertz = default_clock if clock is None else clock * 1e6
    memory_of(board, ports_only(design.make()), hertz)  # before anything is made
    return Wanted(board=board, design=design, throughput=throughput, clock=hertz)


def board_build(wanted: Wanted, *, seed: int, tools: Origin) -> "Build":
    """Make the bitstream or find it, telling the stages on stderr.

    Raises:
        InputError: a bad parameter, a missing tool, or a design that does not fit the device.
        ToolError: a tool failed.
        TimingError: the clock was not reached.
    """
    from synth.flow import build

    with stage_progress() as on_stage:
        return build(
            wanted.board, wanted.design, clock=wanted.clock, seed=seed, tools=tools, on_stage=on_stage
        )


@contextmanager
def stage_progress() -> Iterator["OnStage"]:
    """Stages with their time: one line each that counts on a terminal, one when done elsewhere."""
    console = Console(stderr=True)
    if not console.is_terminal:
        yield _tell_when_done
        return
    columns = (SpinnerColumn(finished_text="[green]✓"), TextColumn("{task.description}"), TimeElapsedColumn())
    with Progress(*columns, console=console) as bar:
        tasks = {}

        def on_stage(stage: str, state: str, seconds: float) -> None:
            if stage not in tasks:
                tasks[stage] = bar.add_task(stage, total=1)
            if state != "running":
                described = stage if state == "done" else f"{stage}: made before"
                bar.update(tasks[stage], description=described, completed=1)

        yield on_stage


def _tell_when_done(stage: str, state: str, seconds: float) -> None:
    if state == "done":
        print(f"onespike: {stage}: {seconds:.1f} s", file=sys.stderr, flush=True)


def check_hardware(engine: str, port: str | None, of_core: Mapping[str, object]) -> None:
    """Raise InputError unless a board is meant and named, or neither.

    Args:
        engine: what runs a core; of all names only `board` is a board.
        of_core: options about the simulated core by name, None where absent; a board has a core of its own.
    """
    if (engine == "board") != (port is not None):
        raise InputError("--engine board needs --port, and --port needs --engine board")
    for option, given in of_core.items():
        if engine == "board" and given is not None:
            raise InputError(f"{option} is for the simulated core, --engine board has its own")


def opened_board(
    kind: "type[Core[Config, Job, Integers]]", port: str | None, timeout: float | None
) -> "AbstractContextManager[LinkedBoard[Config, Job, Integers] | None]":
    """The board with a core of this kind at a serial port; None without a port."""
    from sim.board.board import connect
    from sim.board.streams import PATIENCE

    if port is None:
        return nullcontext()
    return connect(kind, port, patience=PATIENCE if timeout is None else timeout)
