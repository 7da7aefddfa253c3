"""`onespike dev dense`: dense layers in spikes and in 8 bits."""

from pathlib import Path
from typing import Annotated, Any

import typer
from rich.table import Table

from onespike.files import write_json, write_report
from onespike.options import DataOption, LanesOption, ReportOption
from onespike.tables import print_tables


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
    from onespike.cores import network_core
    from studies.infer.cases import load_case
    from studies.rival.dense import SPIKES, measure, measured, work
    from synth.figures import DENSE

    case = load_case(network, data, None, None)
    config = network_core(case.network, None, lanes).config
    if synthesise:
        write_json(DENSE, {"network": case.name, "lanes": config.cluster, "areas": measure(config, folder)})
    known = measured()
    spiking, every = work(case.network, config, case.spikes(case.images[:images]))
    rows: list[dict[str, Any]] = []
    for label, area in known["areas"].items():
        done = spiking if label == SPIKES else every
        per_lut = 1e6 / done.cycles_per_row / area["lut4"]
        rows.append({"label": label, **vars(done), **area, "rows_per_kilo_lut": per_lut})
    write_report(report_file, rows)
    table = Table(title=f"Dense layers of {case.name}; cells of {known['lanes']} lanes of {known['network']}")
    table.add_column("")
    for column in ("cycles per row", "nJ per image", "LUT4", "flip-flops", "block RAMs", "DSPs"):
        table.add_column(column, justify="right")
    table.add_column("rows per 1,000 cycles and LUT4", justify="right")
    for row in rows:
        table.add_row(
            row["label"],
            f"{row['cycles_per_row']:.1f}",
            f"{row['nanojoule']:,.0f}",
            *(f"{row[name]:,}" for name in ("lut4", "flip_flops", "block_rams", "dsps")),
            f"{row['rows_per_kilo_lut']:.1f}",
        )
    print_tables([table])
