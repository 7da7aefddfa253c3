"""Ledgers, and what a ratio depends on, as tables for people."""

from typing import Any

from rich.box import SIMPLE
from rich.table import Table

from energy.stochastic import PAPER_RATIOS


def ledger_tables(sides: dict[str, dict[str, Any]]) -> list[Table]:
    """A table for each ledger (`Ledger.to_json`), and one of the laws and sources of the prices."""
    sources: dict[tuple[str, str], int] = {}
    tables = [_ledger_table(title, side, sources) for title, side in sides.items()]
    legend = Table(title="Prices", box=SIMPLE, show_header=False)
    for (formula, source), number in sources.items():
        legend.add_row(str(number), formula, source)
    return [*tables, legend]


def _ledger_table(title: str, side: dict[str, Any], sources: dict[tuple[str, str], int]) -> Table:
    """One row per line, a question mark where the price is not known; new sources join `sources`."""
    table = Table(title=title, box=SIMPLE)
    for column in ("event", "count", "pJ each", "µJ", "price of", "for each", "source"):
        table.add_column(column, justify="left" if column in ("event", "price of", "for each") else "right")
    for line in side["lines"]:
        known = line["picojoule"] is not None
        numbers = (f"{line['picojoule']:.5f}", f"{line['microjoule']:.4f}") if known else ("?", "?")
        law = (f"{line['standing']}: {line['formula']}", line["source"])
        number = str(sources.setdefault(law, len(sources) + 1))
        row = (line["name"], f"{line['count']:,.0f}", *numbers, line["operation"], line["per"], number)
        table.add_row(*row)
    table.add_row("sum of what is known", "", "", f"{side['microjoule']:.4f}", "", "", "")
    return table


def sensitivity_table(report: dict[str, Any]) -> Table:
    """Ratios of the 8-bit float network to the stochastic one, an assumption changed in each line."""
    table = Table(title="float, 8 bits / stochastic", box=SIMPLE)
    for column in ("", *PAPER_RATIOS):
        table.add_column(column, justify="right" if column else "left")
    for name, ratios in report["ratios"].items():
        table.add_row(name, *(f"{ratios[part]:.2f}" for part in PAPER_RATIOS))
    table.add_row("the paper, float", *(f"{ratio:.1f}" for ratio in PAPER_RATIOS.values()))
    return table


def gate_verdict(report: dict[str, Any]) -> str:
    """What the constant of an AND gate, which is assumed, decides."""
    share = f"AND gates, whose constant is assumed: {report['and_share']:.0%} of the stochastic compute"
    if report["and_fraction"] is None:
        return f"{share}; no constant gives the paper's {PAPER_RATIOS['compute']}"
    needed = f"{report['and_picojoule']:.4f} pJ, {report['and_fraction']:.2f} of it"
    return f"{share}; the paper's {PAPER_RATIOS['compute']} needs {needed}"
