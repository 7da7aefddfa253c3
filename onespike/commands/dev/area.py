"""`onespike dev area`: what an attention engine costs alone."""

import re
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from golden.attention.config import lane_per_token
from golden.errors import InputError
from golden.stochastic.config import StochasticConfig
from golden.stochastic.plan import COMPARED, RandomPlan
from onespike.files import write_report
from onespike.options import CLOCK, ReportOption, SchemeOption, SeedOption, number, whole_number

if TYPE_CHECKING:
    from sim.cores.heads import HeadCore


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
    route: Annotated[bool, typer.Option("--route", help="Place and route too.")] = False,
    frequency: Annotated[
        float,
        typer.Option(
            "--frequency", metavar="MHZ", parser=number(*CLOCK, " MHz"), help="Target of place and route."
        ),
    ] = 150.0,
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

    spiked = scheme == "spiked"
    if spiked and (plans or encoders or rows is not None):
        raise InputError("--plans, --encoders and --rows need --scheme stochastic, not spiked")
    rows = size if rows is None else rows
    head_dim = size if head_dim is None else head_dim
    engines: dict[str, dict[str, Any]] = {}
    for label, core in _cores(size, head_dim, None if spiked else rows, encoders, plans).items():
        place = folder / f"{size}x{head_dim}x{rows}_{re.sub(r'[^a-z0-9]+', '_', label)}"
        engines[label] = measure_alone(
            core.component(),
            core.to_table(),
            place,
            multiplies=spiked,
            frequency=frequency if route else None,
            seed=seed,
        )
        typer.echo(f"N={size} d={head_dim} rows={rows} {label}: {engines[label]}")
    write_report(report_file, {"size": size, "head_dim": head_dim, "rows": rows, "engines": engines})


def _cores(
    size: int, head_dim: int, rows: int | None, encoders: bool, plans: bool
) -> "dict[str, HeadCore[Any, Any, Any]]":
    """Cores by label; of SpikedAttention where there are no rows of units."""
    from sim.cores.attention.core import SpikedAttentionCore
    from sim.cores.stochastic.core import StochasticCore

    if rows is None:
        return {"spiked": SpikedAttentionCore(lane_per_token(size, head_dim))}
    chosen = COMPARED if plans else {"column-broadcast": RandomPlan()}
    return {
        label + (", encoders" if encoders else ""): StochasticCore(
            StochasticConfig(tokens=size, head_dim=head_dim, rows=rows, encoders=encoders, plan=plan)
        )
        for label, plan in chosen.items()
    }
