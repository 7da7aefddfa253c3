"""Tables of `onespike energy`: scopes with their sources, and what a ratio depends on."""

from typing import Any

from rich.box import SIMPLE
from rich.table import Table

from energy.stochastic import PAPER_RATIOS


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


def scope_tables(sides: dict[str, dict[str, Any]]) -> list[Table]:
    """A table for each side, and one of the sources that their lines refer to by number."""
    sources: dict[str, int] = {}
    tables = [scope_table(title, side, sources) for title, side in sides.items()]
    legend = Table(title="Sources", box=SIMPLE, show_header=False)
    for source, number in sources.items():
        legend.add_row(str(number), source)
    return [*tables, legend]


def scope_table(title: str, side: dict[str, Any], sources: dict[str, int]) -> Table:
    """One line per scope, a question mark where the energy is not known; new sources join `sources`."""
    table = Table(title=title, box=SIMPLE)
    for column in ("scope", "events", "pJ each", "µJ", "how", "source"):
        table.add_column(column, justify="left" if column in ("scope", "how") else "right")
    for scope in side["scopes"]:
        known = scope["picojoule"] is not None
        numbers = (f"{scope['picojoule']:.5f}", f"{scope['microjoule']:.4f}") if known else ("?", "?")
        number = sources.setdefault(scope["source"], len(sources) + 1) if known else "?"
        table.add_row(scope["name"], f"{scope['events']:,.0f}", *numbers, scope["formula"], str(number))
    table.add_row("sum of what is known", "", "", f"{side['microjoule']:.4f}", "", "")
    return table
