"""`onespike stochastic accuracy`: trained networks against T."""

from pathlib import Path
from typing import Annotated

import typer

from golden.errors import InputError, quoted
from golden.stochastic.plan import SCORE_SHARINGS, RandomPlan
from onespike.files import whole_or_nothing, write_json
from onespike.network_options import ImageSetsOption
from onespike.options import PlotOption, ReportOption, one_of, plot_targets, whole_number
from onespike.tables import working


def step_list(text: str) -> str:
    """Parser of --steps: the text again, once it is whole numbers with commas."""
    try:
        [int(part) for part in text.split(",")]
    except ValueError:
        raise typer.BadParameter(f"must be integers with commas between them, not {quoted(text)}") from None
    return text


def accuracy(
    networks: Annotated[
        list[Path], typer.Argument(metavar="NETWORK.npz", help="Trained networks.", show_default=False)
    ],
    dataset: Annotated[
        str, typer.Option("--dataset", metavar="NAME", help="digits, fashion-mnist or cifar10.")
    ] = "digits",
    data: ImageSetsOption = None,
    images: Annotated[
        int | None,
        typer.Option(
            "--images", metavar="N", parser=whole_number, help="The first of the test set. [default: all]"
        ),
    ] = None,
    steps: Annotated[
        str, typer.Option("--steps", metavar="T,T,...", parser=step_list, help="Time steps to run.")
    ] = "1,2,3,4,6,8,10,12,14,16",
    seeds: Annotated[
        int, typer.Option("--seeds", metavar="N", parser=whole_number, help="Plans to run, seeds 1 and up.")
    ] = 4,
    score: Annotated[
        str,
        typer.Option(
            "--score", metavar="NAME", parser=one_of(SCORE_SHARINGS), help="Sharing of score generators."
        ),
    ] = RandomPlan().score,
    reference: Annotated[
        float | None,
        typer.Option("--float", metavar="PERCENT", help="Of the float network, for the plot."),
    ] = None,
    converted: Annotated[
        str | None,
        typer.Option(
            "--converted",
            metavar="NAME|FILE",
            help="Also a float network, as of onespike infer --network, and its integers by SpikedAttention "
            "at every T.",
            show_default=False,
        ),
    ] = None,
    plot_file: PlotOption = None,
    report_file: ReportOption = None,
) -> None:
    """Accuracy of trained networks against T: the integers and spikes that the hardware gives.

    Examples:

        W=models/shipped/weights
        onespike stochastic accuracy $W/ssa_digits.npz $W/lif_digits.npz
        onespike stochastic accuracy $W/ssa_fashion-mnist.npz \\
            --dataset fashion-mnist --data DIR
        onespike stochastic accuracy $W/ssa_cifar10.npz \\
            --dataset cifar10 --data DIR --images 1000 --seeds 1 \\
            --converted cifar10 --plot accuracy.png

    Every number of steps runs with the plans of `--seeds` seeds; the range over them is told.
    """
    from studies.stochastic.accuracy import measure_accuracy, plot

    if reference is not None and not 0 <= reference <= 100:
        raise InputError(f"--float must be a percentage in 0..100, not {reference:g}")
    if reference is not None and converted is not None:
        raise InputError("--float must be absent with --converted, which measures it")

    def tell(kind: str, count: int, percents: list[float]) -> None:
        mean, spread = sum(percents) / len(percents), f"{min(percents):.2f} to {max(percents):.2f}"
        typer.echo(f"{dataset} {kind} T={count}: {mean:.2f} % ({spread}, {len(percents)} seeds)")

    with whole_or_nothing(plot_targets(report_file, plot_file)) as places, working("classify"):
        counts = [int(part) for part in steps.split(",")]
        done, table, measured = measure_accuracy(
            networks, dataset, data, images=images, steps=counts, seeds=seeds, score=score,
            floating=converted, on_point=tell,
        )  # fmt: skip
        typer.echo(f"{done} images" + ("" if measured is None else f"; float network: {measured:.2f} %"))
        reference = reference if measured is None else measured
        if report_file is not None:
            write_json(
                places["--report"],
                {"dataset": dataset, "images": done, "float": reference, "accuracy": table},
            )
        if plot_file is not None:
            plot(table, f"{dataset}, {done:,} test images", reference, places["--plot"])
