"""`onespike sim`: the main job, a trained vision transformer through the generated RTL."""

from pathlib import Path
from typing import Annotated

import typer

from golden.attention.config import preset
from onespike.files import filled_folder
from onespike.options import FolderOption, SeedOption, whole_number
from onespike.tables import print_tables, progress

DIFFERENT = 1


def sim(
    images: Annotated[
        int | None,
        typer.Option(
            "--images",
            metavar="N",
            parser=whole_number,
            help="Held-out images that run through the RTL; all of them when absent (4 with --waves).",
            show_default=False,
        ),
    ] = None,
    directory: FolderOption = Path("build/sim"),
    waves: Annotated[
        bool,
        typer.Option(
            "--waves", help="Also write a waveform per layer, layer0.fst and so on, and what to view it with."
        ),
    ] = False,
    seed: SeedOption = 0,
) -> None:
    """Classify handwritten digits with spiked attention, in golden and through the RTL.

    A small vision transformer, trained in floating point and converted without retraining,
    classifies the held-out set through golden, and again with every attention head in the
    generated RTL, where each integer is compared with golden and each row's completion cycle
    with the cycle model.

    Examples:

        onespike sim
        onespike sim --images 8 --seed 3 -o build/eight
        onespike sim --images 1 --waves

    DIR receives `report.json` and `head.png`, a picture of one head: spikes, attention phases and
    the attention map beside exact softmax. Exit status 1 says that an integer or a cycle differed.
    """
    with filled_folder("-o", directory) as folder:
        from sim.cores.attention.core import SpikedAttentionCore
        from studies.demo.run import run_demo, write_results
        from studies.demo.tables import demo_tables

        with progress() as bar:
            task = bar.add_task("start", total=1)
            result = run_demo(
                SpikedAttentionCore(preset("digits")),
                images=images,
                seed=seed,
                waves=folder if waves else None,
                progress=lambda part, share: bar.update(task, description=part, completed=share),
            )
            bar.update(task, description="write report and picture")
            write_results(result, folder)
        written = sorted(path.name for path in folder.iterdir())
    print_tables(demo_tables(result))
    typer.echo(f"{directory}: {', '.join(written)}")
    for line in result.failures:
        typer.echo(f"onespike: {line}", err=True)
    if not result.passed:
        raise typer.Exit(DIFFERENT)
