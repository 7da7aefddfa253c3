"""Tables of `onespike energy`: what a ratio depends on."""

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
