"""`onespike synth`: a bitstream of a configuration, by open tools."""

import shutil
from pathlib import Path
from typing import Annotated, Any

import typer

from onespike.board_options import (
    BoardOption,
    BoardPresetOption,
    ClockOption,
    CoreNetworkOption,
    ToolsOption,
    board_build,
    board_config,
)
from onespike.files import whole_or_nothing, write_json
from onespike.options import (
    ConfigOption,
    DataOption,
    HtmlOption,
    LanesOption,
    ReportOption,
    SchemeOption,
    SeedOption,
)
from onespike.tables import print_tables
from studies.page.page import write_page


def synth(
    board_name: BoardOption = "ulx3s-85f",
    preset_name: BoardPresetOption = None,
    config_file: ConfigOption = None,
    network: CoreNetworkOption = None,
    data: DataOption = None,
    lanes: LanesOption = None,
    clock: ClockOption = None,
    scheme: SchemeOption = "spiked",
    seed: SeedOption = 1,
    tools: ToolsOption = "auto",
    units: Annotated[
        bool, typer.Option("--units", help="Also the resources by unit; takes a second synthesis.")
    ] = False,
    bitstream: Annotated[
        Path | None,
        typer.Option("-o", "--output", metavar="FILE", help="Copy of the bitstream.", show_default=False),
    ] = None,
    report_file: ReportOption = None,
    html_file: HtmlOption = None,
) -> None:
    """Make the bitstream of a configuration for a board: synthesis, place and route, packing.

    Programs of OSS CAD Suite are used if all are on PATH, else those of the Python packages
    (`pip install -e '.[fpga]'`). Everything a tool says is kept beside the bitstream in
    `build/synth`, where a second call with the same design, clock, seed and tools finds it.

    Examples:

        onespike synth
        onespike synth --board icebreaker --report build/icebreaker.json
        onespike synth --units --html build/synth.html
        onespike synth --board tangnano9k --preset tiny --clock 60 -o tiny.fs
        onespike synth --scheme stochastic --config engine.toml --clock 50
        onespike synth --network fashion --data DIR --clock 60

    A design that does not fit the device is refused before place and route, most of them before
    synthesis. Exit status 1 says that a tool failed, or that the clock was not reached; the line
    names the log.
    """
    wanted = board_config(board_name, preset_name, config_file, clock, network, data, lanes, scheme)
    wished = {"-o": bitstream, "--report": report_file, "--html": html_file}
    targets = {label: path for label, path in wished.items() if path is not None}
    with whole_or_nothing(targets) as places:
        made = board_build(wanted, seed=seed, tools=tools)
        from studies.boards.figures import figures

        found: dict[str, Any] = figures(made, wanted.board, wanted.throughput, tools, units=units)
        if bitstream is not None:
            shutil.copyfile(made.bitstream, places["-o"])
        if report_file is not None:
            write_json(places["--report"], found)
        if html_file is not None:
            from studies.boards.page import page

            write_page(page(found), places["--html"])
    from onespike.board_tables import build_tables

    print_tables(build_tables(found))
    typer.echo(f"{made.bitstream}{' (made before)' if made.cached else ''}")
