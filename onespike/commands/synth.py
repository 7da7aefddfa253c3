"""`onespike synth`: a bitstream of a configuration, by open tools."""

import json
import shutil
from pathlib import Path
from typing import Annotated, Any

import typer

from onespike.board_options import (
    BoardOption,
    BoardPresetOption,
    ClockOption,
    CoreNetworkOption,
    SeedsOption,
    ToolsOption,
    board_build,
    board_config,
    stage_progress,
)
from onespike.files import whole_or_nothing, write_json
from onespike.network_options import (
    BesideOption,
    DataOption,
    LanesOption,
    PiecesOption,
    RowsOption,
    StreamedOption,
)
from onespike.options import ConfigOption, HtmlOption, ReportOption, SchemeOption, SeedOption
from onespike.tables import print_tables
from studies.page.page import write_page

PICTURE = "units.png"


def synth(
    board_name: BoardOption = "ulx3s-85f",
    preset_name: BoardPresetOption = None,
    config_file: ConfigOption = None,
    network: CoreNetworkOption = None,
    data: DataOption = None,
    lanes: LanesOption = None,
    tokens: RowsOption = None,
    streamed: StreamedOption = False,
    pieces: PiecesOption = None,
    beside: BesideOption = 1,
    clock: ClockOption = None,
    scheme: SchemeOption = "spiked",
    seed: SeedOption = 1,
    seeds: SeedsOption = 1,
    tools: ToolsOption = "auto",
    bitstream: Annotated[
        Path | None,
        typer.Option("-o", "--output", metavar="FILE", help="Copy of the bitstream.", show_default=False),
    ] = None,
    report_file: ReportOption = None,
    html_file: HtmlOption = None,
) -> None:
    """Make the bitstream of a configuration for a board: synthesis, place and route, packing.

    Printed are its resources, by unit too, the longest paths and what the tools warned of; a picture beside
    the bitstream has the units on the die. With --seeds the same netlist is placed and routed again with
    other seeds, and the median of the clocks that they reach is printed with the least and the most.

    Programs of OSS CAD Suite are used if all are on PATH, else those of the Python packages
    (`pip install -e '.[fpga]'`). Everything a tool says is kept beside the bitstream in
    `build/synth`, where a second call with the same design, clock, seed and tools finds it.

    Examples:

        onespike synth
        onespike synth --board icebreaker --report build/icebreaker.json
        onespike synth --html build/synth.html
        onespike synth --board tangnano9k --preset tiny --clock 60 -o tiny.fs
        onespike synth --scheme stochastic --config engine.toml --clock 50
        onespike synth --network fashion --data DIR --clock 100 --seeds 5
        onespike synth --network build/encoder --tokens 16 --clock 50
        onespike synth --network build/minilm --streamed --pieces 384 --tokens 64
        onespike synth --network DIR --streamed --tokens 16 --side-by-side 4
        onespike synth --scheme stochastic --network digits

    A design that does not fit the device is refused before place and route, most of them before
    synthesis. Exit status 1 says that a tool failed, or that the clock was not reached with --seed; the line
    names the log. What other seeds reach is printed then, too.
    """
    wanted = board_config(
        board_name,
        preset_name,
        config_file,
        clock,
        network,
        data=data,
        lanes=lanes,
        scheme=scheme,
        tokens=tokens,
        streamed=streamed,
        pieces=pieces,
        beside=beside,
    )
    wished = {"-o": bitstream, "--report": report_file, "--html": html_file}
    targets = {label: path for label, path in wished.items() if path is not None}
    with whole_or_nothing(targets) as places:
        from onespike.board_tables import build_tables, remarks
        from studies.boards.figures import figures
        from synth.flow import DIE
        from synth.report import TimingError

        missed = None
        try:
            made = board_build(wanted, seed=seed, tools=tools)
            report, directory = made.report, made.directory
        except TimingError as error:
            if seeds == 1:
                raise
            missed, report, directory = error, error.report, error.directory
        found: dict[str, Any] = figures(report, wanted.throughput)
        if seeds > 1:
            from synth.seeds import reach_with_seeds
            from synth.tools import find_tools

            board = wanted.board
            with stage_progress() as on_stage:
                found["mhz_by_seed"] = reach_with_seeds(
                    directory,
                    report,
                    board,
                    wanted.clock,
                    seeds,
                    find_tools(board.family.tools, tools),
                    on_stage,
                )
        if missed is not None:
            print_tables(build_tables(found))
            raise missed
        if bitstream is not None:
            shutil.copyfile(made.bitstream, places["-o"])
        if report_file is not None:
            write_json(places["--report"], found)
        if html_file is not None:
            from studies.boards.page import page

            write_page(page(found), places["--html"])
    from studies.boards.picture import draw

    picture = made.directory / PICTURE
    if not picture.exists():
        draw(found, json.loads((made.directory / DIE).read_text()), picture)
    print_tables(build_tables(found))
    for line in remarks(found):
        typer.echo(line)
    typer.echo(f"picture: {picture}")
    typer.echo(f"{made.bitstream}{' (made before)' if made.cached else ''}")
