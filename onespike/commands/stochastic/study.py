"""`onespike stochastic study`: what sharing random numbers costs."""

from pathlib import Path
from typing import Annotated, Any

import typer

from onespike.files import whole_or_nothing, write_json
from onespike.options import PlotOption, ReportOption, SeedOption, plot_targets, whole_number
from onespike.tables import working


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
            help="Cells by plan: `onespike dev area --plans --report`. [default: measured for N = 16]",
        ),
    ] = None,
    plot_file: PlotOption = None,
    report_file: ReportOption = None,
    seed: SeedOption = 0,
) -> None:
    """Error and bias of the output rates against T, for every way of sharing random numbers.

    Example:

        onespike stochastic study --plot plans.png --report plans.json

    Beside the errors stand the cells of a full array with each plan, where they were measured.
    """
    from studies.stochastic.plans import STEPS, plan_areas
    from studies.stochastic.plans import study as run

    areas = plan_areas(area, size)

    def tell(label: str, result: dict[str, Any]) -> None:
        errors = " ".join(f"{error:.4f}" for error in result["error"].values())
        cells = f"  LUT4 {result['lut4']} FF {result['flip_flops']}" if "lut4" in result else ""
        typer.echo(
            f"{label}\n"
            f"    error {errors}  bias {result['bias'][STEPS[-1]]:.4f}\n"
            f"    mean {result['mean_bias'][STEPS[-1]]:+.4f} +- {result['mean_bias_error'][STEPS[-1]]:.4f}  "
            f"row sums {result['row_sum_variance']:.2f}\n"
            f"    token mean {result['token_mean']:.2f} feature mean {result['feature_mean']:.2f}{cells}"
        )

    with whole_or_nothing(plot_targets(report_file, plot_file)) as places, working("measure plans"):
        typer.echo(f"N = d = {size}, {heads} heads, seed {seed}, T = {', '.join(map(str, STEPS))}")
        results = run(size, heads, seed, areas, tell)
        if report_file is not None:
            write_json(places["--report"], {"size": size, "heads": heads, "seed": seed, "plans": results})
        if plot_file is not None:
            from studies.stochastic.plans_picture import plot  # loads the plotting library

            plot(results, size, heads, places["--plot"])
