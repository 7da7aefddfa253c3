"""`onespike energy paper`: the authors' logs and formula."""

from typing import Annotated, Literal

import typer
from rich.box import SIMPLE
from rich.table import Table

from energy.report import paper_report
from energy.tables import ledger_tables
from onespike.files import reporting
from onespike.options import ReportOption
from onespike.tables import print_tables


def paper(
    model: Annotated[
        str, typer.Argument(metavar="MODEL", help="swin-t or bert-base: the authors' two logs.")
    ] = "swin-t",
    report_file: ReportOption = None,
) -> None:
    """The authors' logs reproduced by their formula, beside corrected totals.

    32-bit floats at 45 nm: add 0.9 pJ, multiply 3.7 pJ, memory word 5.0 pJ. Each difference between
    what the published code counts and what the network does is a line. Numbers that were not
    published, the spike densities, are solved for from a total and named as such.

    Example:

        onespike energy paper bert-base
    """
    with reporting(report_file) as write:
        report = paper_report(model)
        write(report)
    entries = Table(title=f"{report['model']}: {report['source']}; the authors' prices", box=SIMPLE)
    for column in ("quantity", "published", "reproduced", "corrected", "unit", "how"):
        justify: Literal["left", "right"] = "right" if column in ("published", "reproduced") else "left"
        entries.add_column(column, justify=justify, no_wrap=column == "quantity")
    for entry in report["entries"]:
        corrected = "" if entry["corrected"] is None else f"{entry['corrected']:.3f}"
        numbers = (f"{entry['published']:.3f}", f"{entry['reproduced']:.3f}", corrected)
        entries.add_row(entry["quantity"], *numbers, entry["unit"], entry["note"])
    deviations = Table(title="What separates reproduced from corrected float energy", box=SIMPLE)
    for column in ("layers", "operations", "outputs", "mJ", "what the published code does"):
        deviations.add_column(
            column, justify="right" if column in ("operations", "outputs", "mJ") else "left"
        )
    for item in report["deviations"]:
        counts = (f"{item['operations']:+,}", f"{item['outputs']:+,}", f"{item['millijoule']:+.4f}")
        deviations.add_row(item["where"], *counts, item["why"])
    print_tables([entries, deviations, *ledger_tables(report["ledgers"])])
