"""`onespike compare`: both attention schemes on the same file."""

from pathlib import Path
from typing import Annotated, Any

import typer
from rich.table import Table

from golden.errors import InputError
from golden.inputs import INPUTS
from golden.stochastic.table import load_config as load_engine
from onespike.files import read_arrays, reporting
from onespike.options import ConfigOption, PresetOption, ReportOption, whole_number
from onespike.schemes import SCHEMES, chosen_config
from onespike.tables import print_tables, working
from studies.attention.report import in_words

# Of every scheme its title, and what it is compared with
COLUMNS = {
    "spiked": ("SpikedAttention", "softmax attention"),
    "stochastic": ("stochastic", "its expectation"),
}
INTEGERS = {"LUT4-equivalents": "lut4", "flip-flops": "flip_flops", "block RAMs": "block_rams"}


def compare(
    source: Annotated[
        Path, typer.Argument(metavar="IN.npz", help="Rates q, k, v in 0..1 to read.", show_default=False)
    ],
    preset_name: PresetOption = None,
    config_file: ConfigOption = None,
    engine_file: Annotated[
        Path | None,
        typer.Option(
            "--engine-config",
            metavar="FILE.toml",
            help="Configuration file of the stochastic engine. [default: a full array that fits]",
            show_default=False,
        ),
    ] = None,
    steps: Annotated[
        int | None,
        typer.Option(
            "--steps",
            metavar="T",
            parser=whole_number,
            help="Time steps of the stochastic scheme. [default: 16]",
            show_default=False,
        ),
    ] = None,
    seed: Annotated[
        int | None,
        typer.Option(
            "--seed",
            metavar="N",
            parser=whole_number,
            help="Of the random-number plan. [default: that of --engine-config, or 1]",
            show_default=False,
        ),
    ] = None,
    report_file: ReportOption = None,
) -> None:
    """Run SpikedAttention and stochastic spiking attention on the same rates, side by side.

    Spikes and cycles are those of the cycle models, which equal the RTL; an area is shown where an
    engine of exactly this configuration was measured (synth/figures/areas.toml). Without `--preset` or
    `--config` SpikedAttention has a lane per token. Each scheme is compared with what it
    approximates: exact softmax attention, and the exact expectation of the stochastic product.

    Examples:

        onespike example rates.npz --rates
        onespike compare rates.npz
        onespike compare rates.npz --steps 10 --preset digits --report both.json
    """
    core = None
    if preset_name is not None or config_file is not None:
        core = chosen_config(preset_name, config_file)
    engine = None if engine_file is None else load_engine(engine_file)
    arrays = read_arrays(source, INPUTS)
    for name in INPUTS:
        if arrays[name].ndim != 3:
            raise InputError(
                f"{source}: {name} must be rates [heads, tokens, head_dim], not {list(arrays[name].shape)}"
            )
    from studies.compare.schemes import compare as both

    with reporting(report_file) as write, working("compute"):
        reports = both(
            arrays, source=str(source), core=core, engine=engine, steps=steps, seed=seed, option="--"
        )
        write(reports)
    print_tables([_table(reports)])


def _table(reports: dict[str, Any]) -> Table:
    shape = reports["stochastic"]["shape"]
    table = Table(
        title="{heads} heads, {tokens} tokens, head_dim {head_dim}".format(**shape)
        + f", seed {reports['stochastic']['seed']}"
    )
    table.add_column("")
    columns = []
    for scheme, (title, reference) in COLUMNS.items():
        table.add_column(title, justify="right")
        columns.append(_column(reports[scheme], reference, SCHEMES[scheme].core().accumulations))
    for what in columns[0]:
        table.add_row(what, *(column[what] for column in columns))
    return table


def _column(report: dict[str, Any], reference: str, counted: tuple[str, ...]) -> dict[str, str]:
    """What the table says of a scheme, by row.

    Args:
        reference: what its output is compared with.
        counted: those of its events that are additions.
    """
    shape, firing, events = report["shape"], report["firing"], report["events"]
    neurons = shape["heads"] * shape["tokens"] * shape["head_dim"] * shape.get("steps", 1)
    rows = shape["heads"] * shape["tokens"] * shape.get("steps", 1)
    durations, area, error = report["cycles"]["head_durations"], report["area"], report["error"]["out"]
    code = report["configuration"]
    column = {
        "time steps": str(shape.get("steps", code["steps"])),
        "lanes, or rows of units": str(code["lanes" if "lanes" in code else "rows"]),
        "spikes of q, k, v": f"{sum(firing[name] for name in 'qkv') * neurons:,.0f}",
        "attention spikes": f"{firing['survivors_per_row'] * rows:,.0f}",
        "output spikes": f"{firing['out'] * neurons:,.0f}",
        "additions, or counts": f"{sum(events[name] for name in counted):,}",
        "cycles of the first head": f"{durations[0]:,}",
        "of each further head": f"{durations[-1]:,}" if len(durations) > 1 else "-",
        "in all": f"{report['cycles']['total'] + 1:,}",
        "lanes or units at work": f"{report['lane_utilisation']:.1%}",
        "compared with": reference,
        "cosine": in_words(error["cosine"]),
        "relative RMSE": in_words(error["relative_rmse"]),
    }
    for title, key in INTEGERS.items():
        column[title] = "not measured" if area is None else f"{area[key]:,}"
    fmax = None if area is None else area.get("fmax_mhz")
    column["Fmax, MHz"] = "not measured" if fmax is None else f"{fmax:g}"
    return column
