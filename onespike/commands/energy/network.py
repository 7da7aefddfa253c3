"""`onespike energy network`: attention and dense layers of a whole network."""

from typing import Annotated

import typer
from rich.box import SIMPLE
from rich.table import Table

from energy.layers import SHAPES
from energy.report import Densities, measured_densities, network_report
from onespike.files import reporting
from onespike.network_options import ActivityOption, TextTokensOption
from onespike.options import ConfigOption, PresetOption, ReportOption
from onespike.schemes import chosen_config
from onespike.tables import print_tables, working


def network(
    model: Annotated[str, typer.Argument(metavar="MODEL", help=f"One of {', '.join(SHAPES)}.")],
    activity: ActivityOption = None,
    preset_name: PresetOption = None,
    config_file: ConfigOption = None,
    tokens: TextTokensOption = None,
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
    with reporting(report_file) as write, working("count"):
        report = network_report(model, config, densities, tokens)
        write(report)
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
