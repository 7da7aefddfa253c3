"""`onespike dev literal`: the closed form of golden against the paper's time-stepped procedure."""

from typing import Annotated

import typer

from onespike.options import SeedOption, in_range, whole_number
from onespike.tables import working


def literal(
    rounds: Annotated[
        int,
        typer.Option(
            "--rounds",
            metavar="N",
            parser=whole_number,
            callback=in_range("--rounds", 1, 1000),
            help="Measurements of the literal procedure.",
        ),
    ] = 5,
    seed: SeedOption = 1,
) -> None:
    """Compare the closed form of golden with the literal time-stepped procedure: speed and agreement.

    Both compute the same job, in turns in one process, and the ratio is that of the median times.

    Example:

        onespike dev literal --rounds 5
    """
    from studies.bench.golden import compare, measure, summary

    with working("compute both ways"):
        measured = measure(rounds=rounds, seed=seed), compare(seed)
    typer.echo(summary(*measured))
