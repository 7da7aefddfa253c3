"""Options about models, networks and their data that several commands share."""

from pathlib import Path
from typing import Annotated

import typer

from onespike.options import in_range, whole_number

LanesOption = Annotated[
    int | None,
    typer.Option(
        "--lanes",
        metavar="N",
        parser=whole_number,
        help="Neurons at work at once in the core of a whole network. [default: 32]",
        show_default=False,
    ),
]
DataOption = Annotated[
    Path | None,
    typer.Option(
        "--data",
        metavar="DIR",
        help="Folder with the idx files of a network's images (Fashion-MNIST); "
        "for a FILE the handwritten digits when absent.",
        show_default=False,
    ),
]
ImageSetsOption = Annotated[
    Path | None,
    typer.Option(
        "--data", metavar="DIR", help="Folder that holds fashion-mnist/ or cifar10/.", show_default=False
    ),
]
RowsOption = Annotated[
    int | None,
    typer.Option(
        "--tokens",
        metavar="N",
        parser=whole_number,
        help="Most tokens of a sentence, and rows of the core; longer ones of --data are not drawn. "
        "[default: those of the longest]",
        show_default=False,
    ),
]
StreamedOption = Annotated[
    bool,
    typer.Option(
        "--streamed",
        help="Weights of a network come from a memory beside the core, 16 bits wide and with refreshes, each "
        "once per inference, in place of all of them in the core.",
    ),
]
BesideOption = Annotated[
    int,
    typer.Option(
        "--side-by-side",
        metavar="N",
        parser=whole_number,
        help="Sentences of one inference, side by side, which attend their own words only; a core of "
        "streamed weights has rows for so many.",
    ),
]
PiecesOption = Annotated[
    int | None,
    typer.Option(
        "--pieces",
        metavar="N",
        parser=whole_number,
        help="Hidden layers of more neurons go into the stream in pieces of at most N: a core of fewer "
        "features and weights. [default: whole]",
        show_default=False,
    ),
]
CountOption = Annotated[
    int,
    typer.Option(
        "--count",
        metavar="N",
        parser=whole_number,
        callback=in_range("--count", 1, 1 << 20),
        help="Rows of FILE to use, drawn at random.",
    ),
]
LimitOption = Annotated[
    int | None,
    typer.Option(
        "--limit",
        metavar="N",
        parser=whole_number,
        callback=in_range("--limit", 1, 1 << 30),
        help="Use at most N samples.",
    ),
]
WeightBitsOption = Annotated[
    int, typer.Option("--weight-bits", metavar="N", parser=whole_number, help="Width of dense weights.")
]
AdaptersOption = Annotated[
    Path | None,
    typer.Option(
        "--adapters",
        metavar="FILE",
        help="Low-rank adapters to merge into the weights, with their classifier if any.",
        show_default=False,
    ),
]
ActivityOption = Annotated[
    Path | None,
    typer.Option(
        "--activity",
        metavar="R.json",
        help="Report of `onespike evaluate` that gives the shares that fire.",
        show_default=False,
    ),
]
TextTokensOption = Annotated[
    int | None,
    typer.Option(
        "--tokens",
        metavar="N",
        parser=whole_number,
        help="Length of a text encoder's input.",
        show_default=False,
    ),
]
TitleOption = Annotated[
    str | None,
    typer.Option(
        "--name",
        metavar="TEXT",
        help="The network's name in the titles. [default: that of MODEL]",
        show_default=False,
    ),
]
