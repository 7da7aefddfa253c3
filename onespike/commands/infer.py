"""`onespike infer`: whole inferences, every layer in the generated RTL."""

from pathlib import Path
from typing import Annotated

import typer

from golden.errors import InputError
from onespike.board_options import PortOption, TimeoutOption, opened_board
from onespike.files import filled_folder
from onespike.options import (
    CLOCK,
    DataOption,
    FolderOption,
    LanesOption,
    Log2BaseOption,
    SeedOption,
    StepsOption,
    number,
    one_of,
    whole_number,
)
from onespike.tables import print_tables, progress

DIFFERENT = 1
ENGINES = ("rtl", "board")


def infer(
    network: Annotated[
        str,
        typer.Option(
            "--network",
            metavar="NAME|FILE",
            help="digits, fashion, fashion-batchnorm, a network file, trained float weights, or what "
            "onespike convert wrote.",
        ),
    ] = "digits",
    data: DataOption = None,
    steps: StepsOption = None,
    log2_base: Log2BaseOption = None,
    images: Annotated[
        int | None,
        typer.Option(
            "--images",
            metavar="N",
            parser=whole_number,
            help="Held-out images in golden; all of them when absent.",
            show_default=False,
        ),
    ] = None,
    rtl: Annotated[
        int | None,
        typer.Option(
            "--rtl",
            metavar="N",
            parser=whole_number,
            help="How many of these go through the hardware too. [default: 20, or --images if fewer]",
        ),
    ] = None,
    lanes: LanesOption = None,
    engine: Annotated[
        str,
        typer.Option(
            "--engine",
            metavar="|".join(ENGINES),
            parser=one_of(ENGINES),
            help="Where these go through: the simulated RTL, or a board with a network core at --port.",
        ),
    ] = "rtl",
    port: PortOption = None,
    timeout: TimeoutOption = None,
    recode: Annotated[
        bool, typer.Option("--recode", help="Also with the residual coded after each sum, as in the paper.")
    ] = False,
    clock: Annotated[
        float | None,
        typer.Option(
            "--clock",
            metavar="MHZ",
            parser=number(*CLOCK, " MHz"),
            help="Also inferences per second at this clock, by the cycle model, over the first "
            "held-out images.",
            show_default=False,
        ),
    ] = None,
    directory: FolderOption = Path("build/infer"),
    seed: SeedOption = 0,
) -> None:
    """Classify images with a whole spiking transformer, every layer in the generated RTL.

    An image goes in as spikes and a class comes out. Golden classifies the held-out images; some of
    them run through the RTL as well, where each integer of each layer is compared with golden and
    the cycle of each result with the cycle model.

    Examples:

        onespike infer
        onespike infer --images 40 --rtl 2 --seed 3
        onespike infer --network fashion --data DIR --steps 24 --log2-base 1/3
        onespike infer --rtl 0 --lanes 64 --clock 50
        onespike infer --engine board --port /dev/ttyUSB0

    DIR receives `report.json`, `timeline.txt` and `timeline.png` (what each unit does when, for one
    inference) and `network.npz`, the integers of the network, from which `onespike rtl --network`
    generates the core. Exit status 1 says that an integer or a cycle differed.
    """
    if (engine == "board") != (port is not None):
        raise InputError("--engine board needs --port, and --port needs --engine board")
    if engine == "board" and lanes is not None:
        raise InputError("--lanes sizes the simulated core, --engine board has its own")
    if engine == "rtl" and timeout is not None:
        raise InputError("--timeout is for --engine board")
    from sim.cores.network.core import WholeNetworkCore

    with filled_folder("-o", directory) as folder, opened_board(WholeNetworkCore, port, timeout) as board:
        from studies.infer.cases import load_case
        from studies.infer.infer import infer as run_inferences
        from studies.infer.infer import write_results
        from studies.infer.tables import infer_tables

        with progress() as bar:
            task = bar.add_task("load and convert", total=1)
            result = run_inferences(
                load_case(network, data, steps, log2_base),
                images=images,
                rtl=rtl,
                lanes=lanes,
                board=board,
                seed=seed,
                recode=recode,
                clock_mhz=clock,
                progress=lambda part, share: bar.update(task, description=part, completed=share),
            )
            write_results(result, folder)
        written = sorted(path.name for path in folder.iterdir())
    print_tables(infer_tables(result))
    typer.echo(f"{directory}: {', '.join(written)}")
    for line in result.failures:
        typer.echo(f"onespike: {line}", err=True)
    if result.failures:
        raise typer.Exit(DIFFERENT)
