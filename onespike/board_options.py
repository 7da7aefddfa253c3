"""Options of the commands about boards, and the build that several of them need."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console
from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

from golden.config import PRESETS, CoreConfig
from golden.stochastic.config import StochasticConfig
from onespike.options import chosen_config, stochastic_config
from synth.tools import ORIGINS, Origin

if TYPE_CHECKING:
    from sim.board.attention import AttentionBoard
    from sim.board.stochastic import StochasticBoard
    from synth.boards import Board
    from synth.design import Design
    from synth.flow import Build, OnStage


def megahertz(text: str) -> float:
    """Parser of --clock; in MHz."""
    try:
        clock = float(text)
    except ValueError:
        clock = 0.0
    if not 0 < clock < 1e6:
        raise typer.BadParameter(f"must be a positive number of MHz, not {text!r}")
    return clock


def origin_name(text: str) -> str:
    """Parser of --tools."""
    if text not in ORIGINS:
        raise typer.BadParameter(f"must be one of {', '.join(ORIGINS)}, not {text!r}")
    return text


def seconds(text: str) -> float:
    """Parser of --timeout."""
    try:
        value = float(text)
    except ValueError:
        value = 0.0
    if not 0 < value < float("inf"):
        raise typer.BadParameter(f"must be a positive number of seconds, not {text!r}")
    return value


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
        parser=megahertz,
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
        parser=seconds,
        help="Seconds without progress after which a board is given up. [default: 10]",
        show_default=False,
    ),
]


@dataclass(frozen=True, kw_only=True)
class Wanted:
    """What to put on which board.

    Attributes:
        board: the board.
        name: of the preset or of the configuration file.
        config: the core, or the stochastic engine.
        clock: Hz.
    """

    board: "Board"
    name: str
    config: CoreConfig | StochasticConfig
    clock: float

    @property
    def design(self) -> "Design":
        """What goes behind the link."""
        if isinstance(self.config, StochasticConfig):
            from synth.engine import stochastic_design

            return stochastic_design(self.config, self.name)
        from synth.core import core_design

        return core_design(self.config, self.name)


def board_config(
    board_name: str,
    preset_name: str | None,
    config_file: Path | None,
    clock: float | None,
    scheme: str = "spiked",
) -> Wanted:
    """Board, configuration and clock that the options name.

    Args:
        clock: MHz.

    Raises:
        InputError: one of them is not usable.
    """
    from synth.boards import find_board
    from synth.budgets import clock_of

    board = find_board(board_name)
    config: CoreConfig | StochasticConfig
    if scheme == "stochastic":
        config = stochastic_config(preset_name, config_file)
    else:
        if preset_name is None and config_file is None:
            preset_name = board.preset
        config = chosen_config(preset_name, config_file)
    name = preset_name if config_file is None else config_file.stem
    assert name is not None
    hertz = clock_of(board, name) if clock is None else clock * 1e6
    return Wanted(board=board, name=name, config=config, clock=hertz)


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


@contextmanager
def opened_board(port: str | None, timeout: float | None) -> "Iterator[AttentionBoard | None]":
    """The board with an attention core at a serial port; None without a port."""
    if port is None:
        yield None
        return
    from sim.board.attention import connect
    from sim.board.streams import PATIENCE

    with connect(port, patience=PATIENCE if timeout is None else timeout) as board:
        yield board


@contextmanager
def opened_stochastic_board(port: str | None, timeout: float | None) -> "Iterator[StochasticBoard | None]":
    """The board with a stochastic engine at a serial port; None without a port."""
    if port is None:
        yield None
        return
    from sim.board.stochastic import connect
    from sim.board.streams import PATIENCE

    with connect(port, patience=PATIENCE if timeout is None else timeout) as board:
        yield board
