"""`onespike dev dense`: dense layers in spikes and in 8 bits."""

from pathlib import Path
from typing import Annotated, Any

import typer
from rich.table import Table

from onespike.files import reporting, write_json
from onespike.network_options import DataOption, LanesOption
from onespike.options import ReportOption
from onespike.tables import print_tables, working


def dense(
    network: Annotated[
        str, typer.Option("--network", metavar="NAME", help="As in `onespike infer`.")
    ] = "digits",
    data: DataOption = None,
    lanes: LanesOption = None,
    images: Annotated[int, typer.Option("--images", min=1, metavar="N", help="First test images.")] = 20,
    synthesise: Annotated[
        bool, typer.Option("--synthesise", help="Measure a cluster of each kind again (a minute each).")
    ] = False,
    folder: Annotated[
        Path, typer.Option("-o", "--output", metavar="DIR", help="Folder for what the tools write.")
    ] = Path("build/dense"),
    report_file: ReportOption = None,
) -> None:
    """Dense layers of a network: lanes that add weights where a spike comes, lanes that multiply every value.

    Cycles and energy are those of the activity of the network's own layers; areas on the ECP5 are those of a
    cluster of lanes with its weight memory, as `--synthesise` measured them (synth/figures/dense.json).

    Examples:

        onespike dev dense
        onespike dev dense --network fashion --data DIR --synthesise
    """
    from onespike.networks.spiked import core_of
    from studies.infer.cases import load_case
    from studies.rival.dense import AREA, SPIKES, clusters, measure, measured, work
    from synth.figures import DENSE

    case = load_case(network, data, None, None)
    config = core_of(case.network, None, lanes).config
    with reporting(report_file) as write:
        if synthesise:
            for label, area in measure(config, folder):
                typer.echo(f"{label}: {area}")
                areas = measured().get(case.name, {})
                write_json(DENSE, measured() | {case.name: areas | {label: area}})
        known = measured().get(case.name, {})
        with working("count"):
            spiking, every = work(case.network, config, case.spikes(case.images[:images]))
        rows: list[dict[str, Any]] = []
        for label, _, _ in clusters(config):
            done = spiking if label == SPIKES else every
            rows.append({"label": label, **vars(done), "area": known.get(label)})
        write(rows)
    table = Table(title=f"Dense layers of {case.name}, and cells of {config.cluster} lanes")
    table.add_column("")
    for column in ("cycles per row", "nJ per image", "LUT4", "flip-flops", "block RAMs", "DSPs"):
        table.add_column(column, justify="right")
    table.add_column("rows per 1,000 cycles and 1,000 LUT4", justify="right")
    for row in rows:
        area, cycles = row["area"], row["cycles_per_row"]
        table.add_row(
            row["label"],
            f"{cycles:.1f}",
            f"{row['nanojoule']:,.0f}",
            *("-" if area is None else f"{area[name]:,}" for name in AREA),
            "-" if area is None else f"{1e6 / cycles / area['lut4']:.1f}",
        )
    print_tables([table])
