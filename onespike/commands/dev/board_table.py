"""`onespike dev board-table`: every preset on every board, built and written down."""

from typing import Annotated

import typer

from onespike.board_options import stage_progress
from onespike.options import SeedOption


def board_table(
    board_name: Annotated[
        str | None,
        typer.Option("--board", metavar="NAME", help="Build for this board alone.", show_default=False),
    ] = None,
    preset_name: Annotated[
        str | None,
        typer.Option("--preset", metavar="NAME", help="Build this preset alone.", show_default=False),
    ] = None,
    without_units: Annotated[
        bool,
        typer.Option("--without-units", help="Leave out the second synthesis, which counts by unit."),
    ] = False,
    seed: SeedOption = 1,
) -> None:
    """Write `synth/figures/boards.json` and the tables of `docs/boards.md`.

    Builds every preset that has a budget on a board, the bitstream and the resources by unit. Builds
    that were made before are found, and rows that are not asked for stay as they are. The largest
    presets take the better part of an hour each. Runs in the repository's folder.

    Examples:

        onespike dev board-table
        onespike dev board-table --board icebreaker --preset pico
    """
    from studies.boards.table import write_tables

    with stage_progress() as on_stage:
        write_tables(
            board_name, preset_name, seed, units=not without_units, on_row=typer.echo, on_stage=on_stage
        )
