"""`onespike dev area`: what an attention engine costs alone."""

import re
from dataclasses import replace
from pathlib import Path
from typing import Annotated, Any

import typer

from golden.stochastic.plan import COMPARED
from onespike.files import reporting
from onespike.options import (
    FrequencyOption,
    ReportOption,
    RouteOption,
    SchemeOption,
    SeedOption,
    whole_number,
)
from onespike.schemes import SCHEMES
from onespike.tables import working


def area(
    size: Annotated[
        int, typer.Option("--size", metavar="N", parser=whole_number, help="Tokens of the engine.")
    ] = 16,
    head_dim: Annotated[
        int | None,
        typer.Option(
            "--head-dim", metavar="D", parser=whole_number, help="Features. [default: N]", show_default=False
        ),
    ] = None,
    scheme: SchemeOption = "stochastic",
    rows: Annotated[
        int | None,
        typer.Option(
            "--rows",
            metavar="N",
            parser=whole_number,
            help="Rows of units of a stochastic engine. [default: as tokens]",
            show_default=False,
        ),
    ] = None,
    encoders: Annotated[
        bool, typer.Option("--encoders", help="A stochastic engine with its Bernoulli encoders.")
    ] = False,
    plans: Annotated[
        bool, typer.Option("--plans", help="A stochastic engine of every plan, not of the default alone.")
    ] = False,
    route: RouteOption = False,
    frequency: FrequencyOption = 150.0,
    folder: Annotated[
        Path, typer.Option("-o", "--output", metavar="DIR", help="Folder for what the tools write.")
    ] = Path("build/synth_stochastic"),
    report_file: ReportOption = None,
    seed: SeedOption = 1,
) -> None:
    """Synthesise an attention engine alone on the main board's ECP5: cells, and its clock with `--route`.

    Its streams are pins, so it is smaller than a bitstream, which `onespike synth` makes. An engine of
    SpikedAttention has a lane per token.

    Examples:

        onespike dev area --size 16 --rows 16 --route
        onespike dev area --size 16 --scheme spiked
        onespike dev area --plans --report synth/figures/plan_areas.json
    """
    from synth.alone import measure_alone

    chosen = SCHEMES[scheme]
    chosen.check_options({"--plans": plans, "--encoders": encoders, "--rows": rows})
    core = chosen.core().of_size(size, size if head_dim is None else head_dim)
    given = {
        name: value for name, value in (("rows", rows), ("encoders", encoders or None)) if value is not None
    }
    variants: dict[str, dict[str, Any]] = {scheme: {}}
    if plans:
        variants = {label: {"plan": plan} for label, plan in COMPARED.items()}
    measured = {"size": size, "head_dim": core.config.head_dim, "rows": size if rows is None else rows}
    engines: dict[str, dict[str, Any]] = {}
    with reporting(report_file) as write, working("synthesise"):
        for label, plan in variants.items():
            label += ", encoders" if encoders else ""
            name = "x".join(str(number) for number in measured.values())
            engine = replace(core, config=replace(core.config, **given, **plan))
            engines[label] = measure_alone(
                engine.component(),
                engine.to_table(),
                folder / f"{name}_{re.sub(r'[^a-z0-9]+', '_', label)}",
                frequency=frequency if route else None,
                seed=seed,
                dsp=engine.dsp,
            )
            typer.echo(f"N={size} d={measured['head_dim']} rows={measured['rows']} {label}: {engines[label]}")
        write(measured | {"engines": engines})
