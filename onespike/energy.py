"""`onespike energy`: what the paper counts, and what hardware would."""

from pathlib import Path
from typing import Annotated, Any

import typer
from rich.box import SIMPLE
from rich.table import Table

from energy.layers import SHAPES
from energy.report import Densities, hardware_report, measured_densities, network_report, paper_report
from energy.scheme_report import scheme_report
from energy.stochastic import PAPER_RATIOS, Layer
from energy.tables import gate_verdict, ledger_tables, sensitivity_table
from golden.attention.job import prepare
from golden.code import check_range
from golden.errors import InputError
from onespike.files import read_inputs, whole_or_nothing, write_json
from onespike.options import (
    MAX_SEED,
    ConfigOption,
    PresetOption,
    SeedOption,
    check_heads,
    chosen_config,
    number,
    whole_number,
)
from onespike.tables import print_tables
from studies.data.random import random_heads

energy = typer.Typer(help="Energy by two tables of prices that are never mixed.", rich_markup_mode="markdown")

ReportOption = Annotated[
    Path | None,
    typer.Option("--report", metavar="R.json", help="Report to write.", show_default=False),
]


@energy.command()
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
    report = paper_report(model)
    write_report(report_file, report)
    entries = Table(title=f"{report['model']}: {report['source']}; the authors' prices", box=SIMPLE)
    for column in ("quantity", "published", "reproduced", "corrected", "unit", "how"):
        entries.add_column(column, justify="right" if column in ("published", "reproduced") else "left")
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


@energy.command()
def hardware(
    source: Annotated[
        Path | None,
        typer.Argument(metavar="IN.npz", help="Arrays as for onespike attention; random heads when absent."),
    ] = None,
    preset_name: PresetOption = None,
    config_file: ConfigOption = None,
    heads: Annotated[int, typer.Option("--heads", parser=whole_number, help="Of random heads.")] = 4,
    tokens: Annotated[int, typer.Option("--tokens", parser=whole_number, help="Of random heads.")] = 64,
    head_dim: Annotated[int, typer.Option("--head-dim", parser=whole_number, help="Of random heads.")] = 32,
    clock: Annotated[
        float | None,
        typer.Option(
            "--clock-pj",
            metavar="PJ",
            parser=number(0, 1e12),
            help="Clock and idle energy per cycle. [default: unknown]",
        ),
    ] = None,
    report_file: ReportOption = None,
    seed: SeedOption = 0,
) -> None:
    """Events of an attention job, counted by the cycle model, at integer energies of 45 nm.

    Each kind of event is a line; what is unknown is a line too. Beside it the same job on 8-bit
    multiply-accumulate lanes with softmax, and the density of spikes at which the two meet.

    Examples:

        onespike energy hardware
        onespike energy hardware in.npz --preset swin-window --clock-pj 5
    """
    check_range("--seed", seed, 0, MAX_SEED)
    config = chosen_config(preset_name, config_file)
    if source is None:
        check_heads(heads, tokens, head_dim)
        arrays: dict[str, Any] = random_heads(heads, tokens, head_dim, seed)
    else:
        arrays = read_inputs(source)
    try:
        job = prepare(**arrays, code=config.code).job
    except InputError as error:
        raise InputError(f"{source}: {error}") from None
    report = hardware_report(job, config, clock)
    report["seed"] = seed
    write_report(report_file, report)
    titles = {"spiking": "Spiking core", "mac": "8-bit multiply-accumulate lanes, softmax"}
    print_tables(ledger_tables({title: report[side] for side, title in titles.items()}))
    ratio = report["spiking"]["microjoule"] / report["mac"]["microjoule"]
    verdict = "spikes lose" if ratio > 1 else "spikes win"
    meet = report["crossover"]
    where = "at no density" if meet is None else f"at density {meet:.2f}"
    typer.echo(f"spiking / multiply-accumulate: {ratio:.3f} ({verdict}); the two meet {where} of q, k, v")


@energy.command()
def network(
    model: Annotated[str, typer.Argument(metavar="MODEL", help=f"One of {', '.join(SHAPES)}.")],
    activity: Annotated[
        Path | None,
        typer.Option(
            "--activity", metavar="R.json", help="Report of onespike evaluate; without it all fire."
        ),
    ] = None,
    preset_name: PresetOption = None,
    config_file: ConfigOption = None,
    tokens: Annotated[
        int | None, typer.Option("--tokens", metavar="N", parser=whole_number, help="Of a text encoder.")
    ] = None,
    report_file: ReportOption = None,
) -> None:
    """Attention and dense layers of a network by the hardware's accounting, from measured densities.

    Norms, activation functions, sums, clock and idle are on neither side.

    Example:

        onespike energy network bert-base --activity minilm.json
    """
    config = chosen_config(preset_name, config_file)
    densities = Densities(operands=1.0, survivors=1.0, dense=1.0)
    if activity is not None:
        densities = measured_densities(activity)
    report = network_report(model, config, densities, tokens)
    write_report(report_file, report)
    table = Table(
        title=f"{model}: densities {densities.operands:.2f} (q, k, v), {densities.survivors:.2f} (keys), "
        f"{densities.dense:.2f} (dense inputs)",
        box=SIMPLE,
    )
    for column in ("part", "spiking, µJ", "multiply-accumulate, µJ", "ratio", ""):
        table.add_column(column, justify="left" if column in ("part", "") else "right")
    parts: dict[str, list[float]] = {}
    for line in report["layers"]:
        sums = parts.setdefault(line["name"].rpartition(".")[-1], [0.0, 0.0])
        sums[0] += line["spiking"]
        sums[1] += line["mac"]
    for part, (spiking, mac) in [*parts.items(), ("sum", [report["spiking"], report["mac"]])]:
        verdict = "spikes lose" if spiking > mac else ""
        table.add_row(part, f"{spiking:,.2f}", f"{mac:,.2f}", f"{spiking / mac:.3f}", verdict)
    print_tables([table])


@energy.command()
def stochastic(
    heads: Annotated[int, typer.Option("--heads", parser=whole_number)] = 8,
    tokens: Annotated[int, typer.Option("--tokens", parser=whole_number)] = 64,
    head_dim: Annotated[int, typer.Option("--head-dim", parser=whole_number)] = 48,
    steps: Annotated[int, typer.Option("--steps", metavar="T", parser=whole_number)] = 10,
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
    report = scheme_report(layer, register)
    write_report(report_file, report)
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


def write_report(path: Path | None, report: dict[str, Any]) -> None:
    if path is not None:
        with whole_or_nothing({"--report": path}) as places:
            write_json(places["--report"], report)
