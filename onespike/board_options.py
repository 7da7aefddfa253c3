"""Options of the commands about boards, and the build that several of them need."""

import sys
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, TypeVar

import typer
from rich.console import Console
from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

from golden.attention.config import PRESETS
from golden.errors import InputError, quoted
from onespike.options import CLOCK, chosen_config, number, stochastic_config
from synth.tools import ORIGINS, Origin

if TYPE_CHECKING:
    from sim.board.attention import AttentionBoard
    from sim.board.network import NetworkBoard
    from sim.board.stochastic import StochasticBoard
    from studies.boards.figures import Throughput
    from synth.boards import Board
    from synth.design import Design
    from synth.flow import Build, OnStage

Opened = TypeVar("Opened")
# Bounds of --timeout in seconds
PATIENCE = (1e-3, 1e6)


def origin_name(text: str) -> str:
    """Parser of --tools."""
    if text not in ORIGINS:
        raise typer.BadParameter(f"must be one of {', '.join(ORIGINS)}, not {quoted(text)}")
    return text


CoreNetworkOption = Annotated[
    str | None,
    typer.Option(
        "--network",
        metavar="NAME|FILE",
        help="The core of a whole network instead, as in `onespike infer`; --config may give its sizes.",
        show_default=False,
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
        parser=origin_name,
        help="Programs on PATH, those of the Python packages, or the first that are complete.",
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
    data: Path | None = None,
    lanes: int | None = None,
    scheme: str = "spiked",
) -> Wanted:
    """Board, core and clock that the options name.

    Args:
        clock: MHz.
        network, data, lanes: the core of a whole network instead; see `studies.infer.cases.load_case`.
        scheme: of attention, spiked or stochastic.

    Raises:
        InputError: one of them is not usable.
    """
    from synth.boards import find_board
    from synth.budgets import clock_of

    board = find_board(board_name)
    if network is not None:
        from synth.network import NETWORK_CLOCK

        if scheme != "spiked":
            raise InputError(f"--network needs --scheme spiked, not {scheme}")
        if preset_name is not None:
            raise InputError("--network sizes the core itself, it excludes --preset")
        design, throughput = network_core(network, data, config_file, lanes)
        default_clock = NETWORK_CLOCK
    else:
        for option, value in (("--data", data), ("--lanes", lanes)):
            if value is not None:
                raise InputError(f"{option} is for --network, it must be absent without one, not {value}")
        from studies.boards.throughput import throughput as head_throughput

        if scheme == "stochastic":
            from synth.engine import stochastic_design

            engine = stochastic_config(preset_name, config_file)
            assert config_file is not None
            design, throughput = stochastic_design(engine, config_file.stem), partial(head_throughput, engine)
        else:
            from synth.core import core_design

            if preset_name is None and config_file is None:
                preset_name = board.preset
            config = chosen_config(preset_name, config_file)
            name = preset_name if config_file is None else config_file.stem
            assert name is not None
            design, throughput = core_design(config, name), partial(head_throughput, config)
        default_clock = clock_of(board, design.name)
    hertz = default_clock if clock is None else clock * 1e6
    return Wanted(board=board, design=design, throughput=throughput, clock=hertz)


def network_core(
    network: str, data: Path | None, config_file: Path | None, lanes: int | None
) -> "tuple[Design, Throughput]":
    """The core of a whole network, and what it does at a clock on the held-out images."""
    from golden.network.sizes import read_sizes, sized_config
    from studies.boards.network_throughput import throughput
    from studies.infer.cases import load_case
    from synth.network import network_design

    case = load_case(network, data, None, None)
    given = {} if config_file is None else read_sizes(config_file)
    config = sized_config(case.network, given if lanes is None else given | {"lanes": lanes})
    return network_design(config, Path(network).stem), partial(throughput, case, config)


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


def opened_board(port: str | None, timeout: float | None) -> "AbstractContextManager[AttentionBoard | None]":
    """The board with an attention core at a serial port; None without a port."""
    from sim.board.attention import connect

    return _opened(connect, port, timeout)


def opened_network_board(
    port: str | None, timeout: float | None
) -> "AbstractContextManager[NetworkBoard | None]":
    """The board with a network core at a serial port; None without a port."""
    from sim.board.network import connect

    return _opened(connect, port, timeout)


def opened_stochastic_board(
    port: str | None, timeout: float | None
) -> "AbstractContextManager[StochasticBoard | None]":
    """The board with a stochastic engine at a serial port; None without a port."""
    from sim.board.stochastic import connect

    return _opened(connect, port, timeout)


def _opened(
    connect: "Callable[..., AbstractContextManager[Opened]]", port: str | None, timeout: float | None
) -> "AbstractContextManager[Opened | None]":
    from sim.board.streams import PATIENCE

    return nullcontext() if port is None else connect(port, patience=PATIENCE if timeout is None else timeout)
