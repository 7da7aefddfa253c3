"""`onespike dev board-table`: every preset on every board, built and written down."""

from typing import Annotated

import typer

from onespike.board_options import SeedsOption, stage_progress


def board_table(
    board_name: Annotated[
        str | None,
        typer.Option("--board", metavar="NAME", help="Build for this board alone.", show_default=False),
    ] = None,
    preset_name: Annotated[
        str | None,
        typer.Option("--preset", metavar="NAME", help="Build this preset alone.", show_default=False),
    ] = None,
    seeds: SeedsOption = 1,
) -> None:
    """Write `synth/figures/boards.json` and the tables of `docs/boards.md`.

    Builds every preset that has a budget on a board, the bitstream with seed 1. Builds that were made before
    are found, those of other seeds too, and rows that are not asked for stay as they are. The largest presets
    take ten minutes and more with each seed. A row of which a seed misses the clock is written, and the
    command fails. Runs in the repository's folder.

    Examples:

        onespike dev board-table
        onespike dev board-table --board icebreaker --preset pico --seeds 5
    """
    from studies.boards.table import write_tables

    with stage_progress() as on_stage:
        write_tables(board_name, preset_name, seeds, on_row=typer.echo, on_stage=on_stage)
