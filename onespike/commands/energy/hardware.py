"""`onespike energy hardware`: the events of an attention job at integer energies."""

from pathlib import Path
from typing import Annotated, Any

import typer

from energy.report import hardware_report
from energy.tables import ledger_tables
from golden.attention.job import prepare
from golden.errors import InputError
from onespike.files import read_inputs, reporting
from onespike.options import (
    ConfigOption,
    HeadDimOption,
    HeadsOption,
    PresetOption,
    ReportOption,
    SeedOption,
    TokensOption,
    number,
)
from onespike.schemes import chosen_config
from onespike.tables import print_tables, working
from studies.data.random import random_heads


def hardware(
    context: typer.Context,
    source: Annotated[
        Path | None,
        typer.Argument(metavar="IN.npz", help="Arrays as for onespike attention; random heads when absent."),
    ] = None,
    preset_name: PresetOption = None,
    config_file: ConfigOption = None,
    heads: HeadsOption = 4,
    tokens: TokensOption = 64,
    head_dim: HeadDimOption = 32,
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
    config = chosen_config(preset_name, config_file)
    if source is None:
        arrays: dict[str, Any] = random_heads(heads, tokens, head_dim, seed)
    else:
        for name in ("heads", "tokens", "head_dim"):
            given = context.get_parameter_source(name)
            if given is not None and given.name != "DEFAULT":
                option = f"--{name.replace('_', '-')}"
                raise InputError(f"{option} is the size of random heads, it must not stand beside {source}")
        arrays = read_inputs(source)
    try:
        job = prepare(**arrays, code=config.code).job
    except InputError as error:
        raise InputError(f"{source}: {error}") from None
    with reporting(report_file) as write, working("count"):
        report = hardware_report(job, config, clock)
        report["seed"] = seed
        write(report)
    titles = {"spiking": "Spiking core", "mac": "8-bit multiply-accumulate lanes, softmax"}
    print_tables(ledger_tables({title: report[side] for side, title in titles.items()}))
    ratio = report["spiking"]["microjoule"] / report["mac"]["microjoule"]
    verdict = "spikes lose" if ratio > 1 else "spikes win"
    meet = report["crossover"]
    where = "at no density" if meet is None else f"at density {meet:.2f}"
    typer.echo(f"spiking / multiply-accumulate: {ratio:.3f} ({verdict}); the two meet {where} of q, k, v")
