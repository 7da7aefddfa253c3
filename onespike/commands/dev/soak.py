"""`onespike dev soak`: faults on the link between driver and simulated board."""

from pathlib import Path
from typing import Annotated

import typer

from onespike.files import made_folder, whole_or_nothing, write_json
from onespike.options import MinutesOption, SeedOption, in_range, whole_number
from onespike.tables import progress

DIFFERENT = 1


def soak(
    frames: Annotated[
        int,
        typer.Option(
            "--frames",
            metavar="N",
            parser=whole_number,
            callback=in_range("--frames", 1, 1_000_000_000),
            help="Faulty frames to make.",
        ),
    ] = 10_000,
    minutes: MinutesOption = None,
    report_file: Annotated[
        Path, typer.Option("-o", "--output", metavar="R.json", help="Report to write.")
    ] = Path("build/soak.json"),
    seed: SeedOption = 1,
) -> None:
    """Run jobs on a simulated board while frames are spoilt both ways.

    Every job either completes, and is then compared with golden, or is cut off by closing the port, or
    ends with an error; the next one starts on whatever is left of it. Exit status 1 says that an
    integer differed.

    Example:

        onespike dev soak --frames 10000 --seed 1
    """
    from sim.board.soak import soak as run
    from sim.board.soak import summary

    with (
        made_folder("-o", report_file.parent),
        whole_or_nothing({"-o": report_file}) as places,
        progress() as bar,
    ):
        task = bar.add_task("faulty frames", total=frames)
        report = run(
            frames,
            seed,
            seconds=None if minutes is None else 60 * minutes,
            progress=lambda report: bar.update(task, completed=report.faults.total()),
        )
        write_json(places["-o"], vars(report))
    typer.echo(summary(report))
    typer.echo(report_file)
    if report.differences:
        raise typer.Exit(DIFFERENT)
