"""`onespike dev rival`: spikes against integers of 8 and 4 bits."""

import re
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.table import Table

from golden.errors import InputError
from onespike.board_options import SeedsOption
from onespike.files import read_inputs, reporting, write_json
from onespike.options import FrequencyOption, ReportOption, RouteOption, SeedOption
from onespike.tables import print_tables, working


def rival(
    source: Annotated[
        Path | None,
        typer.Argument(
            metavar="[IN.npz]",
            help="Arrays q, k and v of two heads or more. [default: random heads of 128 tokens]",
            show_default=False,
        ),
    ] = None,
    synthesise: Annotated[
        str | None,
        typer.Option(
            "--synthesise",
            metavar="TEXT",
            help="Measure eight lanes of the cores whose name holds TEXT again (a minute each).",
            show_default=False,
        ),
    ] = None,
    whole: Annotated[bool, typer.Option("--whole", help="Measure them whole, too (minutes each).")] = False,
    route: RouteOption = False,
    frequency: FrequencyOption = 150.0,
    seeds: SeedsOption = 1,
    folder: Annotated[
        Path, typer.Option("-o", "--output", metavar="DIR", help="Folder for what the tools write.")
    ] = Path("build/rival"),
    report_file: ReportOption = None,
    seed: SeedOption = 1,
) -> None:
    """The same heads in spikes of T = 8, 16 and 24 steps, and in integers of 8 and 4 bits: who wins where.

    Cores of 64 lanes for 128 tokens of 64 features. Accuracy is that of the output codes against exact
    softmax attention, cycles are those of the cycle models, which equal the RTL, energy is that of the
    ledger; areas on the ECP5 are those of eight lanes, and of a core alone, as `--synthesise` measured
    them (synth/figures/rivals.json).

    Examples:

        onespike dev rival
        onespike dev rival --synthesise "8 bits"
        onespike dev rival --synthesise "T = 16" --whole --route --seeds 3
    """
    from studies.data.random import random_heads
    from studies.rival.contest import contenders, measure_core, measure_lanes, measured, stand
    from synth.figures import RIVALS

    if whole and synthesise is None:
        raise InputError("--whole needs --synthesise, which says of which cores")
    if route and not whole:
        raise InputError("--route needs --whole, as whole cores are placed")
    if seeds > 1 and not route:
        raise InputError("--seeds needs --route, which places with each")
    arrays = random_heads(4, 128, 64, seed) if source is None else read_inputs(source)
    cores = list(contenders())
    chosen = []
    if synthesise is not None:
        chosen = [contender for contender in cores if synthesise in contender.label]
        if not chosen:
            labels = "; ".join(contender.label for contender in cores)
            raise InputError(f"--synthesise must be part of a name of a core ({labels}), not {synthesise!r}")
    with reporting(report_file) as write:
        for contender in chosen:
            place = folder / re.sub(r"[^a-z0-9]+", "-", contender.label.lower())
            area = measured().get(contender.label, {}) | {"lanes": measure_lanes(contender, place)}
            if whole:
                area["core"] = measure_core(contender, place, frequency if route else None, seeds)
            typer.echo(f"{contender.label}: {area}")
            write_json(RIVALS, measured() | {contender.label: area})
        with working("compute"):
            standings = [stand(contender, arrays).to_json() for contender in cores]
        write(standings)
    print_tables([_made(standings), _cells(standings), _speed(standings)])


def _made(standings: list[dict[str, Any]]) -> Table:
    table = Table(title="Spikes and integers on the same heads")
    table.add_column("")
    for name in ("cosine", "relative RMSE", "cycles per row", "heads per s at 100 MHz", "nJ per head"):
        table.add_column(name, justify="right")
    for standing in standings:
        table.add_row(
            standing["label"],
            f"{standing['cosine']:.4f}",
            f"{standing['relative_rmse']:.4f}",
            f"{standing['cycles_per_row']:.0f}",
            f"{standing['heads_per_second']:,.0f}",
            f"{standing['nanojoule']:,.0f}",
        )
    return table


def _cells(standings: list[dict[str, Any]]) -> Table:
    table = Table(title="Cells of eight lanes, and of the core")
    counts = {"lut4": "LUT4", "flip_flops": "flip-flops", "block_rams": "block RAMs", "dsps": "DSPs"}
    names = list(counts.values())
    table.add_column("")
    for name in (*names, f"core: {names[0]}", *names[1:]):
        table.add_column(name, justify="right")
    for standing in standings:
        lanes, core = (standing["area"].get(part, {}) for part in ("lanes", "core"))
        shown = (f"{part[name]:,}" if name in part else "-" for part in (lanes, core) for name in counts)
        table.add_row(standing["label"], *shown)
    return table


def _speed(standings: list[dict[str, Any]]) -> Table:
    from studies.boards.figures import spread

    table = Table(title="Heads per second of the core alone, for 1,000 of its LUT4")
    table.add_column("")
    for name in ("for 1,000 LUT4, at 100 MHz", "MHz reached", "heads per s at it", "for 1,000 LUT4"):
        table.add_column(name, justify="right")
    for standing in standings:
        by_seed = standing["area"].get("core", {}).get("mhz_by_seed", {})
        at_one_clock, own, own_for_lut = (
            "-" if standing[name] is None else f"{standing[name]:,.0f}"
            for name in ("heads_per_kilo_lut", "own_heads_per_second", "own_heads_per_kilo_lut")
        )
        reached = spread(list(by_seed.values())) if by_seed else "-"
        table.add_row(standing["label"], at_one_clock, reached, own, own_for_lut)
    return table
