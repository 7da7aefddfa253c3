"""`onespike infer`: whole inferences, every layer in the generated RTL."""

from pathlib import Path
from typing import Annotated

import typer

from golden.errors import InputError
from onespike.board_options import HardwareOption, PortOption, TimeoutOption, check_hardware, opened_board
from onespike.files import filled_folder, whole_or_nothing
from onespike.network_options import BesideOption, LanesOption, PiecesOption, RowsOption, StreamedOption
from onespike.options import (
    CLOCK,
    FolderOption,
    HtmlOption,
    Log2BaseOption,
    SeedOption,
    StepsOption,
    number,
    whole_number,
)
from onespike.tables import print_tables, progress
from studies.page.page import write_page

DIFFERENT = 1
WAVES = "network.fst"


def infer(
    network: Annotated[
        str,
        typer.Option(
            "--network",
            metavar="NAME|FILE",
            help="digits, fashion, fashion-batchnorm, cifar10, cifar10-small, a network file, trained float "
            "weights, or what onespike convert wrote.",
        ),
    ] = "digits",
    data: Annotated[
        Path | None,
        typer.Option(
            "--data",
            metavar="DIR|FILE",
            help="Folder with the idx files of a network's images (Fashion-MNIST), of images in colour one "
            "that holds cifar10/; for a FILE the handwritten digits when absent. Of a model of sentences a "
            "file of them: lines (.txt), pairs (.csv, .tsv), or labelled phrases for a classifier.",
            show_default=False,
        ),
    ] = None,
    texts: Annotated[
        list[str] | None,
        typer.Option(
            "--text",
            metavar="TEXT",
            help="A sentence for a model of sentences, in place of --data; may be repeated.",
            show_default=False,
        ),
    ] = None,
    tokens: RowsOption = None,
    steps: StepsOption = None,
    log2_base: Log2BaseOption = None,
    images: Annotated[
        int | None,
        typer.Option(
            "--images",
            metavar="N",
            parser=whole_number,
            help="Held-out images, or sentences of --data, in golden. [default: all images, 20 sentences]",
            show_default=False,
        ),
    ] = None,
    rtl: Annotated[
        int | None,
        typer.Option(
            "--rtl",
            metavar="N",
            parser=whole_number,
            help="How many of these go through the hardware too. [default: 20, or --images if fewer; of "
            "sentences 2, all of --text]",
        ),
    ] = None,
    lanes: LanesOption = None,
    streamed: StreamedOption = False,
    pieces: PiecesOption = None,
    beside: BesideOption = 1,
    engine: HardwareOption = "rtl",
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
    waves: Annotated[
        bool,
        typer.Option(
            "--waves",
            help="Also write a waveform of the first ten in the RTL, network.fst, and what to view it with; "
            "--rtl is then 1 unless given.",
        ),
    ] = False,
    html_file: HtmlOption = None,
    directory: FolderOption = Path("build/infer"),
    seed: SeedOption = 0,
) -> None:
    """Run images or sentences through a whole spiking transformer, every layer in the generated RTL.

    An image goes in as spikes and a class comes out. Golden classifies the held-out images; some of
    them run through the RTL as well, where each integer of each layer is compared with golden and
    the cycle of each result with the cycle model. Of a text encoder that onespike convert wrote a
    sentence goes in, its tokens embedded, and a vector comes out, which is compared with the float
    model's. Sentences side by side all have exactly --tokens; of a file no others are drawn.

    Examples:

        onespike infer
        onespike infer --images 40 --rtl 2 --seed 3
        onespike infer --network fashion --data DIR --steps 24 --log2-base 1/3
        onespike infer --rtl 0 --lanes 64 --clock 50
        onespike infer --streamed --images 40 --rtl 2
        onespike infer --html build/infer.html
        onespike infer --images 1 --waves
        onespike infer --engine board --port /dev/ttyUSB0
        onespike infer --network build/minilm --lanes 64 --text "A man is dancing."
        onespike infer --network build/minilm --data stsb-en-dev.csv --tokens 16

    DIR receives `report.json`, `timeline.txt` and `timeline.png` (what each unit does when, for one
    inference) and `network.npz`, the integers of the network, from which `onespike rtl --network`
    generates the core. Exit status 1 says that an integer or a cycle differed.
    """
    sizes = {
        "--lanes": lanes,
        "--streamed": streamed or None,
        "--side-by-side": None if beside == 1 else beside,
    }
    check_hardware(engine, port, sizes)
    if engine == "rtl" and timeout is not None:
        raise InputError("--timeout is for --engine board")
    if waves and (engine == "board" or rtl == 0):
        raise InputError("--waves is for what runs in the RTL, of which there is nothing")
    from sim.cores.network.core import WholeNetworkCore

    rtl = 1 if waves and rtl is None else rtl
    pages = {} if html_file is None else {"--html": html_file}
    with (
        filled_folder("-o", directory) as folder,
        whole_or_nothing(pages) as places,
        opened_board(WholeNetworkCore, port, timeout) as board,
    ):
        from studies.infer.cases import cut_case, load_case, load_folder
        from studies.infer.encodings import encode
        from studies.infer.infer import infer as run_inferences
        from studies.infer.page import page
        from studies.infer.report import Found, write_results
        from studies.infer.sentences import is_of_sentences, load_sentences
        from studies.infer.tables import encode_tables, infer_tables

        with progress() as bar:
            task = bar.add_task("load and convert", total=1)

            def tell(part: str, share: float) -> None:
                bar.update(task, description=part, completed=share)

            stored = load_folder(network)
            if stored is not None and is_of_sentences(stored):
                for option, given in (
                    ("--recode", recode),
                    ("--steps and --log2-base", steps is not None or log2_base is not None),
                ):
                    if given:
                        raise InputError(f"{network}: is a model of sentences, {option} must be absent")
                sentences = load_sentences(
                    network, stored, texts or [], data, images, tokens, seed, pieces, beside
                )
                encoded = encode(
                    sentences,
                    rtl=rtl,
                    lanes=lanes,
                    streamed=streamed,
                    board=board,
                    seed=seed,
                    clock_mhz=clock,
                    waves=folder / WAVES if waves else None,
                    progress=tell,
                )
                found: Found = encoded
                tables = encode_tables(encoded)
            else:
                if texts or tokens is not None or beside != 1:
                    raise InputError(
                        f"{network}: is no model of sentences, --text, --tokens and --side-by-side "
                        "must be absent"
                    )
                result = run_inferences(
                    cut_case(load_case(network, data, steps, log2_base, stored), pieces),
                    images=images,
                    rtl=rtl,
                    lanes=lanes,
                    streamed=streamed,
                    board=board,
                    seed=seed,
                    recode=recode,
                    clock_mhz=clock,
                    waves=folder / WAVES if waves else None,
                    progress=tell,
                )
                found, tables = result, infer_tables(result)
            write_results(found, folder)
            if html_file is not None:
                write_page(page(found, found.to_json()), places["--html"])
        written = sorted(path.name for path in folder.iterdir())
    print_tables(tables)
    typer.echo(f"{directory}: {', '.join(written)}")
    for line in found.failures:
        typer.echo(f"onespike: {line}", err=True)
    if found.failures:
        raise typer.Exit(DIFFERENT)
