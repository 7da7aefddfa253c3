"""`onespike program`: a bitstream into a board."""

from pathlib import Path
from typing import Annotated

import typer

from golden.errors import InputError
from onespike.board_options import (
    BoardOption,
    BoardPresetOption,
    ClockOption,
    CoreNetworkOption,
    ToolsOption,
    board_build,
    board_config,
)
from onespike.network_options import (
    BesideOption,
    DataOption,
    LanesOption,
    PiecesOption,
    RowsOption,
    StreamedOption,
)
from onespike.options import ConfigOption, SchemeOption, SeedOption
from onespike.schemes import DEFAULT


def program(
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
    tools: ToolsOption = "auto",
    bitstream: Annotated[
        Path | None,
        typer.Option(
            "--bitstream",
            metavar="FILE",
            help="Load this file instead of building one.",
            show_default=False,
        ),
    ] = None,
) -> None:
    """Load a configuration into a board's FPGA, until it loses power.

    The bitstream is made first, as `onespike synth` does, unless it has been made before. Uses
    openFPGALoader, or the board's usual open loader.

    Examples:

        onespike program
        onespike program --board icebreaker
        onespike program --board tangnano9k --bitstream tiny.fs
    """
    from synth.boards import find_board
    from synth.program import find_loader, load

    board = find_board(board_name)
    # Before minutes are spent on a bitstream that nothing can load
    loader = find_loader(board)
    if bitstream is None:
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
        bitstream = board_build(wanted, seed=seed, tools=tools).bitstream
    else:
        given = {
            "--preset": preset_name, "--config": config_file, "--network": network, "--data": data,
            "--lanes": lanes, "--tokens": tokens, "--streamed": streamed or None, "--pieces": pieces,
            "--clock": clock, "--side-by-side": None if beside == 1 else beside,
            "--scheme": None if scheme == DEFAULT else scheme,
        }  # fmt: skip
        for option, value in given.items():
            if value is not None:
                raise InputError(f"{option} excludes --bitstream, which is loaded as it is")
        if not bitstream.is_file():
            raise InputError(f"--bitstream must be a file, {bitstream} is not")
    load(board, loader, bitstream)
    typer.echo(f"{board.title}: {bitstream} loaded by {loader.name}")
