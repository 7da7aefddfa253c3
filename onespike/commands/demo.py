"""`onespike demo`: images that one can see, through a whole network on a board."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.box import SIMPLE
from rich.table import Table
from rich.text import Text

from golden.code import check_range
from golden.errors import InputError
from onespike.board_options import PortOption, TimeoutOption, board_config, opened_board
from onespike.files import reporting
from onespike.network_options import DataOption
from onespike.options import ReportOption, SeedOption, whole_number
from onespike.tables import print_tables, progress

if TYPE_CHECKING:
    from rich.progress import Progress

    from studies.infer.show import Shown

DIFFERENT = 1
# Paper to ink, two for each pixel so that it is about square
SHADES = " ░▒▓█"
BAR = 16
# A bit of the serial line is five cycles then, which is what a simulated board spends its time on
SIMULATED_BOARD, SIMULATED_MHZ = "ulx3s-85f", 10.0


def demo(
    board_sim: Annotated[
        bool,
        typer.Option("--board-sim", help="Through a simulated board; compiled the first time, for a minute."),
    ] = False,
    port: PortOption = None,
    timeout: TimeoutOption = None,
    network: Annotated[
        str,
        typer.Option("--network", metavar="NAME|FILE", help="The network, as in `onespike infer`."),
    ] = "digits",
    data: DataOption = None,
    images: Annotated[
        int, typer.Option("--images", metavar="N", parser=whole_number, help="How many images.")
    ] = 3,
    report_file: ReportOption = None,
    seed: SeedOption = 0,
) -> None:
    """See images go through a whole spiking transformer on a board, simulated or real.

    The network is loaded over the serial line into the core on the board; then each image goes in as
    spikes and its class scores come out, beside those of golden.

    Examples:

        onespike demo --board-sim
        onespike demo --board-sim --images 10 --seed 3
        onespike demo --port /dev/ttyUSB0

    A real board holds the core that `onespike program --network digits` puts there. Exit status 1 says
    that a score differed from golden.
    """
    if board_sim == (port is not None):
        raise InputError("demo needs --board-sim, a simulated board, or --port, a real one, and not both")
    if board_sim and timeout is not None:
        raise InputError("--timeout is for a real board, --port")
    import numpy as np

    from sim.cores.network.core import WholeNetworkCore
    from studies.infer.cases import load_case, load_folder
    from studies.infer.show import load, show

    case = load_case(network, data, None, None, load_folder(network))
    check_range("--images", images, 1, len(case.images))
    chosen = np.random.default_rng(seed).choice(len(case.images), images, replace=False)
    seen: list[Shown] = []
    with (
        reporting(report_file) as write,
        progress() as bar,
        _port(network, data, port, bar) as name,
        opened_board(WholeNetworkCore, name, timeout) as board,
    ):
        assert board is not None, "opened at a port"
        task = bar.add_task("load the network", total=None)
        load(board, case, lambda sent: bar.update(task, description=f"load the network, {sent:,} bytes"))
        bar.remove_task(task)
        for number in chosen.tolist():
            seen.append(show(board, case, number))
            typer.echo(_heading(seen[-1]))
            print_tables([_table(seen[-1])])
        line = board.counters
        write({"network": case.name, "seed": seed, "images": [shown.to_json() for shown in seen]})
    different = sum(shown.different for shown in seen)
    typer.echo(
        f"{images} images, seed {seed}: {different} class scores differ from golden; "
        f"{line.frames_sent} frames out, {line.frames_received} back, {line.resent_bytes} bytes sent again"
    )
    if different:
        raise typer.Exit(DIFFERENT)


@contextmanager
def _port(network: str, data: Path | None, port: str | None, bar: "Progress") -> Iterator[str]:
    """The port of the real board, or that of a simulated one while the block runs."""
    if port is not None:
        yield port
        return
    from sim.board.simulate import compile_board, running

    wanted = board_config(SIMULATED_BOARD, None, None, SIMULATED_MHZ, network, data=data)
    task = bar.add_task("compile the board", total=None)
    program = compile_board(wanted.board, wanted.design, wanted.clock)
    bar.remove_task(task)
    with running(program) as name:
        yield name


def drawing(image: Any) -> str:
    """An image [rows, columns] of 0..1 in characters, paper dark."""
    return "\n".join(
        "".join(2 * SHADES[min(int(pixel * len(SHADES)), len(SHADES) - 1)] for pixel in row) for row in image
    )


def _heading(shown: "Shown") -> str:
    return (
        f"Image {shown.number}: {shown.spikes} spikes in, {len(shown.scores)} scores out, "
        f"{shown.seconds:.2f} s with the line"
    )


def _table(shown: "Shown") -> Table:
    """The image, and a bar for each class from the smallest score to the largest."""
    least, most = int(shown.scores.min()), int(shown.scores.max())
    digits = max(len(f"{score:,}") for score in shown.scores.tolist())
    lines = Text()
    for number, (score, golden) in enumerate(zip(shown.scores.tolist(), shown.golden.tolist(), strict=True)):
        length = round(BAR * (score - least) / max(most - least, 1))
        marks = "".join(
            mark
            for mark, there in (
                (" < the board", number == shown.found),
                (" = the label", number == shown.label),
                (f" golden: {golden:,}", score != golden),
            )
            if there
        )
        style = "bold" if number == shown.found else ""
        lines.append(f"{number:>3} {'━' * length:{BAR}} {score:>{digits},}{marks}\n", style)
    table = Table(box=SIMPLE, show_header=False)
    table.add_column(no_wrap=True)
    table.add_column(no_wrap=True)
    table.add_row(drawing(shown.image), lines)
    return table
