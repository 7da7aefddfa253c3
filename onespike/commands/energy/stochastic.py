"""`onespike energy stochastic`: three schemes of attention by the paper's accounting."""

from typing import Annotated

import typer
from rich.box import SIMPLE
from rich.table import Table

from energy.scheme_report import scheme_report
from energy.stochastic import PAPER_RATIOS, Layer
from energy.tables import gate_verdict, ledger_tables, sensitivity_table
from onespike.files import reporting
from onespike.options import ReportOption, number, whole_number
from onespike.tables import print_tables


def stochastic(
    heads: Annotated[
        int, typer.Option("--heads", metavar="N", parser=whole_number, help="Heads of the layer.")
    ] = 8,
    tokens: Annotated[
        int, typer.Option("--tokens", metavar="N", parser=whole_number, help="Tokens of the layer.")
    ] = 64,
    head_dim: Annotated[
        int, typer.Option("--head-dim", metavar="N", parser=whole_number, help="Features of a head.")
    ] = 48,
    steps: Annotated[int, typer.Option("--steps", metavar="T", parser=whole_number, help="Time steps.")] = 10,
    rate: Annotated[
        float, typer.Option("--rate", metavar="X", parser=number(0, 1), help="Spikes of q, k, v per step.")
    ] = 0.25,
    score_rate: Annotated[
        float | None,
        typer.Option(
            "--score-rate",
            metavar="X",
            parser=number(0, 1),
            help="Spikes of the stochastic scores per step. [default: the square of --rate]",
        ),
    ] = None,
    register: Annotated[
        float | None,
        typer.Option(
            "--register-pj",
            metavar="PJ",
            parser=number(0, 1e12),
            help="Of a bit of the generators. [default: that of an adder's bit]",
        ),
    ] = None,
    report_file: ReportOption = None,
) -> None:
    """Attention in floats, in accumulated spikes and in stochastic spikes, by the paper's accounting.

    Stochastic Spiking Attention (AICAS 2024): arithmetic and memory apart, every line with its count,
    its price and where that comes from; the stochastic scheme as the default full array does it.
    Shape and T default to the paper's layer; the rate of spikes is this project's figure, not the
    paper's. No source has the energy of an AND gate: the second table shows what depends on it.

    Examples:

        onespike energy stochastic
        onespike energy stochastic --rate 0.1 --report energy.json
    """
    layer = Layer(
        heads=heads,
        tokens=tokens,
        head_dim=head_dim,
        steps=steps,
        rate=rate,
        score_rate=score_rate,
    )
    with reporting(report_file) as write:
        report = scheme_report(layer, register)
        write(report)
    table = Table(title="Attention of one layer", box=SIMPLE)
    columns = ("", "compute, µJ", "memory, µJ", "compute / stochastic", "memory / stochastic")
    for column in columns:
        table.add_column(column, justify="right" if column else "left")
    for name, entry in report["schemes"].items():
        energies = (f"{entry[part]['microjoule']:.4f}" for part in PAPER_RATIOS)
        table.add_row(name, *energies, *(f"{entry[part]['ratio']:.2f}" for part in PAPER_RATIOS))
    table.add_row("the paper, float", "", "", *(f"{ratio:.1f}" for ratio in PAPER_RATIOS.values()))
    print_tables([table, sensitivity_table(report["sensitivity"])])
    typer.echo(gate_verdict(report["sensitivity"]))
    sides = {
        f"{name}: {part}": entry[part] for name, entry in report["schemes"].items() for part in PAPER_RATIOS
    }
    print_tables(ledger_tables(sides))
