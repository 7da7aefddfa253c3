"""`onespike sweep`: grids of configurations."""

import csv
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.box import SIMPLE
from rich.table import Table

from golden.errors import writing
from onespike.files import made_folder, read_inputs, whole_or_nothing, write_json
from onespike.options import HtmlOption, JobsOption, SeedOption
from onespike.tables import print_tables, progress
from studies.data.random import random_heads
from studies.infer.cases import DIGITS, NETWORKS
from studies.page.page import write_page
from studies.sweep.grid import RANDOM, read_grid, span

COLUMNS = (
    *("model", "lanes", "steps", "log2_base", "trace_bits", "error", "accuracy", "cycles", "energy"),
    *("mac_energy", "lut4", "area_source", "closed_mhz", "front", "refused"),
)
SHOWN = 20


def sweep(
    target: Annotated[
        Path,
        typer.Option("-o", "--output", metavar="DIR", help="Folder of results; given again, it resumes."),
    ] = Path("build/sweep"),
    grid_file: Annotated[
        Path | None,
        typer.Option("--grid", metavar="FILE.toml", help="Lists of values per axis.", show_default=False),
    ] = None,
    html_file: HtmlOption = None,
    jobs: JobsOption = 2,
    seed: SeedOption = 0,
) -> None:
    """Error, cycles, energy and area over a grid: heads on an attention core, or whole networks.

    FILE.toml names any of the axes; the others keep their usual values:

        lanes = [32, 64]
        steps = [8, 16, 24]
        log2_base = ["2/7", "1/2", "3/4"]
        trace_bits = [8, 12]
        model = ["random", "heads.npz", "digits", "fashion"]
        data = "DIR"     # idx files of Fashion-MNIST, not for the digits
        images = 100     # held-out images that a network classifies

    `random` stands for random heads, a path for the arrays of `onespike attention`, a name for a network
    of `onespike infer`; lanes are then those of its neuron core. The error is the relative RMSE of the
    attention outputs, of a network that of its class scores. The area is that of a build in build/synth
    where `onespike synth` made one of this core, else an estimate, marked `~`; of a network core that was
    not built it is unknown.

    Every finished point is a file in DIR/points; an interrupted sweep, started again, goes on after the
    last one. DIR receives sweep.json, sweep.csv and pareto.png.

    Examples:

        onespike sweep --grid grid.toml -o build/sweep
        onespike sweep --grid grid.toml --html sweep.html
    """
    # The tools of synthesis take a while to load; no other command should wait for them
    from studies.sweep.measure import Heads, Workload, load_images
    from studies.sweep.page import page
    from studies.sweep.run import mark_front
    from studies.sweep.run import sweep as run_sweep

    grid = read_grid(grid_file)
    points = span(grid.axes)
    workloads: dict[str, Workload] = {}
    for name in dict.fromkeys(point.model for point in points):
        if name in NETWORKS:
            workloads[name] = load_images(name, None if name == DIGITS else grid.data, grid.images, seed)
        else:
            arrays = random_heads(4, 64, 32, seed) if name == RANDOM else read_inputs(Path(name))
            workloads[name] = Heads(arrays)
    found = 0
    pages = {} if html_file is None else {"--html": html_file}
    with (
        made_folder("-o", target),
        whole_or_nothing(pages) as places,
        writing(f"-o {target}"),
        progress() as bar,
    ):
        task = bar.add_task("sweep", total=len(points))

        def step(known: bool) -> None:
            nonlocal found
            found += known
            bar.update(task, advance=1)

        results = mark_front(run_sweep(points, workloads, target / "points", seed, jobs, step))
        report = {"seed": seed, "points": results}
        write_results(target, report)
        if html_file is not None:
            write_page(page(report), places["--html"])
    print_tables([front_table(results)])
    refused = sum("refused" in result for result in results)
    typer.echo(
        f"{len(results)} points in {target}, {found} of them known before, {refused} that no core can be, "
        f"seed {seed}"
    )


def write_results(target: Path, report: dict[str, Any]) -> None:
    """Table and plot of a finished sweep."""
    from studies.plot_style import write_figure  # loads the plotting library, which takes a second
    from studies.sweep.picture import pareto

    results = report["points"]
    write_json(target / "sweep.json", report)
    with (target / "sweep.csv").open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, COLUMNS)
        writer.writeheader()
        writer.writerows(results)
    measured = [result for result in results if "refused" not in result]
    write_figure(pareto({"points": measured}), target / "pareto.png")


def front_table(results: list[dict[str, Any]]) -> Table:
    """The points that no other beats, by error."""
    table = Table(title="Points that no other beats in error, cycles, energy and area", box=SIMPLE)
    for column in ("model", "lanes", "T", "log2 B", "F", "error", "right", "cycles", "µJ", "LUT4"):
        table.add_column(column, justify="left" if column == "model" else "right")
    best = sorted((result for result in results if result["front"]), key=lambda result: result["error"])
    for result in best[:SHOWN]:
        tilde = "~" if result["area_source"] == "estimated" else ""
        area = "unknown" if result["lut4"] is None else f"{tilde}{result['lut4']:,}"
        right = "" if result["accuracy"] is None else f"{result['accuracy']:.1f} %"
        table.add_row(
            Path(result["model"]).name,
            *(str(result[name]) for name in ("lanes", "steps", "log2_base", "trace_bits")),
            f"{result['error']:.4f}",
            right,
            f"{result['cycles']:,}",
            f"{result['energy']:.4f}",
            area,
        )
    return table
