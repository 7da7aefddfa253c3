"""`onespike stochastic demo`: a trained network, every layer in RTL or on a board."""

from typing import Annotated

import typer

from golden.code import check_range
from golden.errors import OutsideError
from golden.memory import WORD_BITS
from golden.stochastic.config import MAX_STEPS
from golden.stochastic.program import LANES
from onespike.board_options import HARDWARE, PortOption, TimeoutOption, check_hardware, opened_board
from onespike.files import reporting
from onespike.network_options import ImageSetsOption, LanesOption, StreamedOption
from onespike.options import MAX_SEED, ReportOption, one_of, whole_number
from onespike.tables import working

ENGINES = ("model", *HARDWARE)


def demo(
    network: Annotated[
        str,
        typer.Option(
            "--network",
            metavar="NAME|FILE",
            help="digits, fashion-mnist, cifar10 or cifar10-small, which come with the project, or the "
            "file of a network.",
        ),
    ] = "digits",
    data: ImageSetsOption = None,
    images: Annotated[
        int, typer.Option("--images", metavar="N", parser=whole_number, help="Of the held-out images.")
    ] = 60,
    steps: Annotated[int, typer.Option("--steps", metavar="T", parser=whole_number, help="Time steps.")] = 10,
    lanes: LanesOption = None,
    streamed: StreamedOption = False,
    seed: Annotated[
        int, typer.Option("--seed", metavar="N", parser=whole_number, help="Of the random-number plan.")
    ] = 1,
    engine: Annotated[
        str,
        typer.Option(
            "--engine",
            metavar="|".join(ENGINES),
            parser=one_of(ENGINES),
            help="Where it runs: the cycle model with golden, the simulated RTL, or a board with the "
            "network's core at --port.",
        ),
    ] = "rtl",
    port: PortOption = None,
    timeout: TimeoutOption = None,
    report_file: ReportOption = None,
) -> None:
    """Classify images with a whole stochastic network in RTL, and compare every spike with golden.

    Neurons, attention and class scores are all in the generated core; a board shows the scores. The cycle
    of each inference is compared with the cycle model. With --engine model nothing runs and nothing is
    compared: integers are golden's, cycles the model's.

    Examples:

        onespike stochastic demo --images 450
        onespike stochastic demo --network fashion-mnist --data DIR --images 200
        onespike stochastic demo --network cifar10-small --data DIR --engine model
        onespike stochastic demo --network cifar10 --data DIR --streamed --images 3
        onespike board-sim --scheme stochastic --network digits --clock 10
        onespike stochastic demo --engine board --port /dev/pts/3

    Exit status 1 says that a spike, a score or a cycle differed.
    """
    from sim.cores.stochastic.network import WholeStochasticCore
    from studies.stochastic.cases import load_case
    from studies.stochastic.demo import demonstrate

    check_hardware(engine, port, {"--lanes": lanes, "--streamed": streamed or None})
    check_range("--steps", steps, 1, MAX_STEPS)
    check_range("--seed", seed, 1, MAX_SEED)
    case = load_case(network, data)
    check_range("--images", images, 1, len(case.images.test))
    with (
        reporting(report_file) as write,
        opened_board(WholeStochasticCore, port, timeout) as board,
        working(f"classify ({engine})"),
    ):
        typer.echo(f"{case.name}: {images} images, T={steps}, seed {seed}")
        found = demonstrate(
            case, images, steps, seed, LANES if lanes is None else lanes, board,
            modelled=engine == "model", streamed=streamed,
        )  # fmt: skip
        write({"steps": steps, "seed": seed} | found.to_json())
    compared = found.comparison
    if compared is not None:
        what = "spikes and scores" if board is None else "scores"
        typer.echo(f"{what}: {compared.compared} compared with the golden model, {compared.different} differ")
    share = 100 * found.right / found.images
    typer.echo(f"classes: {found.right} of {found.images} right ({share:.2f} %)")
    if compared is None:
        typer.echo(f"cycles: {found.cycles:.0f} per image by the cycle model")
    elif found.cycles is not None:
        typer.echo(
            f"cycles: {found.cycles:.0f} per image; {found.wrong_cycles} of {images} images end in another "
            "cycle than predicted"
        )
    if found.memory is not None:
        waited = sum(layer["waited"] for layer in found.memory["layers"])
        typer.echo(
            f"weights: {found.memory['words']} words of {WORD_BITS} bits per image from a memory; the lanes "
            f"waited for those of the first {waited} cycles"
        )
    typer.echo(
        f"energy: {found.spiking.microjoule:.2f} µJ per image, {found.dense.microjoule:.2f} in 8-bit "
        f"multiply-accumulates, by the prices of docs/energy.md; {found.seconds:.1f} s"
    )
    if compared is not None and compared.different:
        raise OutsideError(f"the core must agree with the golden model: {compared.first_difference}")
    if found.wrong_cycles:
        raise OutsideError(f"cycles must be those of the cycle model, {found.wrong_cycles} are not")
