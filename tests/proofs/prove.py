"""Runs every proof and prints a table: `make prove`, or python -m tests.proofs.prove [NAME ...]."""

import json
import multiprocessing
import sys
from collections import defaultdict
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.progress import track
from rich.table import Table

from tests.proofs.check import Outcome, properties, run, tasks
from tests.proofs.property import Property


def summary(prop: type[Property], outcomes: list[Outcome]) -> dict[str, object]:
    """One line of the table."""
    cases = [outcome for outcome in outcomes if not outcome.task.fault]
    faults = [outcome for outcome in outcomes if outcome.task.fault]
    wrong = [
        f"{'fault' if outcome.task.fault else 'case'} {outcome.task.number}: {outcome.how}"
        for outcome in outcomes
        if not outcome.right
    ]
    return {
        "component": prop.component,
        "property": prop.__name__,
        "kind": "unbounded" if prop.depth is None else f"{prop.depth} cycles",
        "how": sorted({outcome.how for outcome in cases}),
        "cases": len(cases),
        "faults": len(faults),
        "seconds": round(sum(outcome.seconds for outcome in outcomes), 1),
        "result": "; ".join(wrong) or "proven",
    }


def main(
    names: Annotated[
        list[str] | None, typer.Argument(help="properties or components; all by default")
    ] = None,
    jobs: Annotated[int, typer.Option(min=1, help="processes")] = 2,
    output: Annotated[Path, typer.Option(help="the table as JSON")] = Path("build/proofs.json"),
) -> None:
    """Prove what tests/proofs claims of hw/."""
    chosen = [prop for prop in properties() if not names or prop.__name__ in names or prop.component in names]
    if not chosen:
        raise typer.BadParameter(f"no property and no component is called {' or '.join(names or [])}")
    queue = [task for prop in chosen for task in tasks(prop)]
    found = defaultdict(list)
    console = Console()
    console.width = max(console.width, 120)  # whole names, also where there is no terminal
    with ProcessPoolExecutor(jobs, mp_context=multiprocessing.get_context("spawn")) as pool:
        for outcome in track(pool.map(run, queue), "proving", len(queue), console=console, transient=True):
            found[outcome.task.name].append(outcome)
    lines = [summary(prop, found[prop.__name__]) for prop in chosen]
    table = Table("component", "property", "kind", "cases", "faults", "seconds", "result", box=None)
    for line in lines:
        table.add_row(*(str(line[str(column.header)]) for column in table.columns))
    console.print(table)
    proven = [line for line in lines if line["result"] == "proven"]
    total = sum(int(str(line["faults"])) for line in lines)
    seconds = sum(float(str(line["seconds"])) for line in lines)
    console.print(
        f"{len(proven)} of {len(lines)} properties proven, {total} planted faults found,"
        f" {seconds:.0f} s of processor time"
    )
    output.parent.mkdir(parents=True, exist_ok=True)
    output.write_text(json.dumps(lines, indent=2) + "\n")
    sys.exit(len(proven) != len(lines))


if __name__ == "__main__":
    typer.run(main)
