"""`onespike dev sentences`: sentences per second of a core of streamed weights."""

from typing import Annotated

import typer

from golden.errors import InputError
from onespike.board_options import ClockOption, board_config
from onespike.files import reporting
from onespike.network_options import BesideOption, LanesOption, PiecesOption, RowsOption
from onespike.options import ReportOption
from onespike.tables import print_tables, working


def sentences(
    network: Annotated[str, typer.Argument(metavar="DIR", help="What `onespike convert` wrote.")],
    tokens: RowsOption = None,
    lanes: LanesOption = None,
    pieces: PiecesOption = None,
    beside: BesideOption = 1,
    clock: ClockOption = None,
    report_file: ReportOption = None,
) -> None:
    """Sentences per second of a core whose weights are streamed, by the cycle model, and where the time goes.

    For each length as many side by side as the core of `onespike synth` has rows for. The same table ends
    what `onespike synth` prints of a bitstream, at the clock of the bitstream.

    Examples:

        onespike dev sentences build/minilm --lanes 64 --pieces 384 --tokens 32
    """
    from onespike.board_tables import sentence_table

    with reporting(report_file) as write, working("predict"):
        wanted = board_config(
            "ulx3s-85f",
            None,
            None,
            clock,
            network,
            lanes=lanes,
            tokens=tokens,
            streamed=True,
            pieces=pieces,
            beside=beside,
        )
        done = wanted.throughput(wanted.clock / 1e6)
        if "sentences" not in done:
            raise InputError(f"{network}: must be a model of sentences")
        write(done)
    print_tables([sentence_table(done)])
