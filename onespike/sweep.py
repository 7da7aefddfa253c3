"""`onespike sweep`: grids of configurations."""

import csv
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.box import SIMPLE
from rich.table import Table

from golden.code import check_range
from golden.errors import InputError
from onespike.files import read_inputs, write_json
from onespike.options import MAX_SEED, SeedOption, whole_number
from onespike.tables import print_tables, progress
from sim.sweep.grid import RANDOM, read_grid, span
from sim.sweep.run import mark_front
from sim.sweep.run import sweep as run_sweep
from sim.workload import random_heads

COLUMNS = ("model", "lanes", "steps", "log2_base", "trace_bits", "error", "cycles", "energy", "mac_energy")
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
    jobs: Annotated[
        int, typer.Option("--jobs", metavar="N", parser=whole_number, help="Processes on this machine.")
    ] = 2,
    seed: SeedOption = 0,
) -> None:
    """Error, cycles, energy and area of the attention core over a grid.

    FILE.toml names any of the axes; the others keep their usual values:

        lanes = [32, 64]
        steps = [8, 16, 24]
        log2_base = ["2/7", "1/2", "3/4"]
        trace_bits = [8, 12]
        model = ["random", "heads.npz"]

    `random` stands for random heads, a path for the arrays of `onespike attention`. Every finished
    point is a file in DIR/points; an interrupted sweep, started again, goes on after the last one.
    DIR receives sweep.json, sweep.csv and pareto.png. Area is filled in where the core was synthesised.

    Example:

        onespike sweep --grid grid.toml -o build/sweep
    """
    check_range("--seed", seed, 0, MAX_SEED)
    check_range("--jobs", jobs, 1, 1024)
    if target.exists() and not target.is_dir():
        raise InputError(f"-o must be a folder, not the file {target}")
    points = span(read_grid(grid_file))
    workloads: dict[str, dict[str, Any]] = {
        name: random_heads(4, 64, 32, seed) if name == RANDOM else read_inputs(Path(name))
        for name in dict.fromkeys(point.model for point in points)
    }
    found = 0
    with progress() as bar:
        task = bar.add_task("sweep", total=len(points))

        def step(known: bool) -> None:
            nonlocal found
            found += known
            bar.update(task, advance=1)

        try:
            results = run_sweep(points, workloads, target / "points", seed, jobs, step)
            results = mark_front(results)
            write_results(target, results, seed)
        except OSError as error:
            raise InputError(f"-o {target}: cannot be written ({error.strerror or error})") from None
    print_tables([front_table(results)])
    typer.echo(f"{len(results)} points in {target}, {found} of them known before, seed {seed}")


def write_results(target: Path, results: list[dict[str, Any]], seed: int) -> None:
    """Table and plot of a finished sweep."""
    from sim.search.figures import draw, pareto  # loads the plotting library, which takes a second

    write_json(target / "sweep.json", {"seed": seed, "points": results})
    with (target / "sweep.csv").open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, [*COLUMNS, "lut4", "front"])
        writer.writeheader()
        writer.writerows(results)
    draw(pareto({"points": results}), target / "pareto.png")


def front_table(results: list[dict[str, Any]]) -> Table:
    """The points that no other beats, by error."""
    table = Table(title="Points that no other beats in error, cycles and energy", box=SIMPLE)
    for column in ("model", "lanes", "T", "log2 B", "F", "error", "cycles", "µJ", "LUT4"):
        table.add_column(column, justify="left" if column == "model" else "right")
    best = sorted((result for result in results if result["front"]), key=lambda result: result["error"])
    for result in best[:SHOWN]:
        area = "" if result["lut4"] is None else f"{result['lut4']:,}"
        table.add_row(
            Path(result["model"]).name,
            *(str(result[name]) for name in ("lanes", "steps", "log2_base", "trace_bits")),
            f"{result['error']:.4f}",
            f"{result['cycles']:,}",
            f"{result['energy']:.4f}",
            area,
        )
    return table
