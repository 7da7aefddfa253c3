"""`onespike doctor`: what is installed, what is missing, and how to get it."""

import json
from collections.abc import Sequence
from dataclasses import asdict
from itertools import groupby
from typing import TYPE_CHECKING

import typer
from rich.box import SIMPLE
from rich.markup import escape
from rich.table import Table

from onespike.options import JsonOption
from onespike.tables import print_tables

if TYPE_CHECKING:
    from onespike.findings import Finding

NOT_READY = 1


def doctor(as_json: JsonOption = False) -> None:
    """Show what is installed, what is missing, and how to get it.

    Python, packages against the versions that the project asks for, compiler and tools, the cache of
    compiled simulators, place and route, programs that load boards, serial ports.

    Examples:

        onespike doctor
        onespike doctor --json

    Exit status 1 says that the main job, `onespike sim`, cannot run, and stderr names what it needs;
    what other parts need is only listed.
    """
    from onespike.findings import MAIN_JOB, findings

    found = findings()
    if as_json:
        typer.echo(json.dumps([asdict(finding) for finding in found], indent=2))
    else:
        print_tables([_state(found), *_remedies(found)])
    lacking = [finding for finding in found if not finding.good and finding.needed_for == MAIN_JOB]
    needed = [f"{finding.what} {finding.wanted}".strip() for finding in lacking]
    if needed:
        typer.echo(f"onespike: {MAIN_JOB} needs {', '.join(needed)}", err=True)
        raise typer.Exit(NOT_READY)


def _state(found: Sequence["Finding"]) -> Table:
    """Findings, one a row, under the parts that need them."""
    table = Table(title="This installation", box=SIMPLE, padding=(0, 1, 0, 0))
    table.add_column("for", no_wrap=True)
    for column in ("wanted", "found"):
        table.add_column(column, overflow="fold")
    for purpose, findings in groupby(found, key=lambda finding: finding.needed_for):
        table.add_row(purpose)
        for finding in findings:
            state = finding.found or "missing"
            if finding.found and not finding.good:
                state += ", will not do"
            table.add_row(f"  {finding.what}", finding.wanted, escape(state))
    return table


def _remedies(found: Sequence["Finding"]) -> list[Table]:
    """How to get what is missing, each way once; no table where nothing is."""
    ways = dict.fromkeys((finding.needed_for, finding.remedy) for finding in found if not finding.good)
    if not ways:
        return []
    table = Table(title="How to get what is missing", box=SIMPLE, padding=(0, 1, 0, 0))
    table.add_column("for", no_wrap=True)
    table.add_column("how")
    for purpose, remedy in ways:
        table.add_row(purpose, escape(remedy))
    return [table]
