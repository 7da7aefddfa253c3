"""`onespike stochastic`: what can be learnt about stochastic attention besides running it."""

from pathlib import Path
from typing import Annotated, Any

import typer

from golden.code import check_range
from golden.errors import InputError, quoted
from golden.stochastic.config import MAX_STEPS
from golden.stochastic.plan import SCORE_SHARINGS, RandomPlan
from onespike.files import whole_or_nothing, write_json
from onespike.options import MAX_SEED, SeedOption, whole_number

studies = typer.Typer(help="Stochastic spiking attention: studies and networks.", rich_markup_mode="markdown")

PICTURES = (".png", ".svg", ".pdf")


def sharing_name(text: str) -> str:
    """Parser of --score."""
    if text not in SCORE_SHARINGS:
        raise typer.BadParameter(f"must be one of {', '.join(SCORE_SHARINGS)}, not {quoted(text)}")
    return text


def step_list(text: str) -> str:
    """Parser of --steps: the text again, once it is whole numbers with commas."""
    try:
        [int(part) for part in text.split(",")]
    except ValueError:
        raise typer.BadParameter(f"must be integers with commas between them, not {quoted(text)}") from None
    return text


PlotOption = Annotated[
    Path | None,
    typer.Option("--plot", metavar="FILE", help=f"Picture to write: {', '.join(PICTURES)}."),
]
ReportOption = Annotated[
    Path | None, typer.Option("--report", metavar="R.json", help="Report to write.", show_default=False)
]


@studies.command()
def study(
    size: Annotated[int, typer.Option("--size", metavar="N", parser=whole_number, help="N = d.")] = 16,
    heads: Annotated[
        int, typer.Option("--heads", metavar="N", parser=whole_number, help="Heads of a run, 2 or more.")
    ] = 64,
    area: Annotated[
        Path | None,
        typer.Option(
            "--area",
            metavar="A.json",
            help="Cells by plan: `python -m synth.alone --plans`. [default: measured for N = 16]",
        ),
    ] = None,
    plot_file: PlotOption = None,
    report_file: ReportOption = None,
    seed: SeedOption = 0,
) -> None:
    """Error and bias of the output rates against T, for every way of sharing random numbers.

    Example:

        onespike stochastic study --plot plans.png --report plans.json
    """
    check_range("--seed", seed, 0, MAX_SEED)
    from studies.stochastic.plans import STEPS, plan_areas
    from studies.stochastic.plans import study as run

    areas = plan_areas(area, size)

    def tell(label: str, result: dict[str, Any]) -> None:
        errors = " ".join(f"{error:.4f}" for error in result["error"].values())
        cells = f"  LUT4 {result['lut4']} FF {result['flip_flops']}" if "lut4" in result else ""
        typer.echo(
            f"{label:40s} error {errors}  bias {result['bias'][STEPS[-1]]:.4f} "
            f"mean {result['mean_bias'][STEPS[-1]]:+.4f} +- {result['mean_bias_error'][STEPS[-1]]:.4f}  "
            f"row sums {result['row_sum_variance']:.2f} "
            f"token mean {result['token_mean']:.2f} feature mean {result['feature_mean']:.2f}{cells}"
        )

    with whole_or_nothing(_targets(report_file, plot_file)) as places:
        typer.echo(f"N = d = {size}, {heads} heads, seed {seed}, T = {', '.join(map(str, STEPS))}")
        results = run(size, heads, seed, areas, tell)
        if report_file is not None:
            write_json(places["--report"], {"size": size, "heads": heads, "seed": seed, "plans": results})
        if plot_file is not None:
            from studies.stochastic.plans_picture import plot  # loads the plotting library

            plot(results, size, heads, places["--plot"])


@studies.command()
def accuracy(
    networks: Annotated[
        list[Path], typer.Argument(metavar="NETWORK.npz...", help="Trained networks.", show_default=False)
    ],
    dataset: Annotated[
        str, typer.Option("--dataset", metavar="NAME", help="digits, fashion-mnist or cifar10.")
    ] = "digits",
    data: Annotated[
        Path | None,
        typer.Option("--data", metavar="DIR", help="Folder that holds fashion-mnist/ or cifar10/."),
    ] = None,
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
        typer.Option("--score", metavar="NAME", parser=sharing_name, help="Sharing of score generators."),
    ] = RandomPlan().score,
    reference: Annotated[
        float | None,
        typer.Option("--float", metavar="PERCENT", help="Of the float network, for the plot."),
    ] = None,
    plot_file: PlotOption = None,
    report_file: ReportOption = None,
) -> None:
    """Accuracy of trained networks against T: the integers and spikes that the hardware gives.

    Examples:

        W=models/shipped/weights
        onespike stochastic accuracy $W/ssa_digits.npz $W/lif_digits.npz
        onespike stochastic accuracy $W/ssa_fashion-mnist.npz --dataset fashion-mnist --data DIR
    """
    from studies.stochastic.accuracy import measure_accuracy, plot

    if reference is not None and not 0 <= reference <= 100:
        raise InputError(f"--float must be a percentage in 0..100, not {reference:g}")

    def tell(kind: str, count: int, percents: list[float]) -> None:
        mean, spread = sum(percents) / len(percents), f"{min(percents):.2f} to {max(percents):.2f}"
        typer.echo(f"{dataset} {kind} T={count}: {mean:.2f} % ({spread}, {len(percents)} seeds)")

    with whole_or_nothing(_targets(report_file, plot_file)) as places:
        counts = [int(part) for part in steps.split(",")]
        done, table = measure_accuracy(
            networks, dataset, data, images=images, steps=counts, seeds=seeds, score=score, on_point=tell
        )
        typer.echo(f"{done} images")
        if report_file is not None:
            write_json(
                places["--report"],
                {"dataset": dataset, "images": done, "float": reference, "accuracy": table},
            )
        if plot_file is not None:
            plot(table, f"{dataset}, {done:,} test images", reference, places["--plot"])


@studies.command()
def demo(
    images: Annotated[
        int,
        typer.Option("--images", metavar="N", parser=whole_number, help="Of the held-out images, 1..450."),
    ] = 60,
    steps: Annotated[int, typer.Option("--steps", metavar="T", parser=whole_number, help="Time steps.")] = 10,
    seed: Annotated[
        int, typer.Option("--seed", metavar="N", parser=whole_number, help="Of the random-number plan.")
    ] = 1,
) -> None:
    """Classify handwritten digits with all attention in RTL, and compare every spike with golden.

    Example:

        onespike stochastic demo --images 450
    """
    from golden.errors import OutsideError
    from studies.data.handwritten_digits import HELD_OUT
    from studies.stochastic.demo import demonstrate

    check_range("--images", images, 1, HELD_OUT)
    check_range("--steps", steps, 1, MAX_STEPS)
    check_range("--seed", seed, 1, MAX_SEED)
    typer.echo(f"{images} digits, T={steps}, seed {seed}")
    found = demonstrate(images, steps, seed)
    typer.echo(f"spikes: {found.spikes} compared with the golden model, {found.wrong} differ")
    share = 100 * found.right / found.images
    typer.echo(f"classes: {found.right} of {found.images} right ({share:.2f} %)")
    typer.echo(
        f"engine: {found.cycles // found.images} cycles per image for all attention; "
        f"{found.seconds:.1f} s in all"
    )
    if found.wrong:
        raise OutsideError(f"spikes of the RTL must equal the golden model's, {found.wrong} do not")


def _targets(report: Path | None, plot: Path | None) -> dict[str, Path]:
    if plot is not None and plot.suffix not in PICTURES:
        raise InputError(f"--plot must name a {', '.join(PICTURES)} file, not {plot}")
    return {label: path for label, path in (("--report", report), ("--plot", plot)) if path is not None}
