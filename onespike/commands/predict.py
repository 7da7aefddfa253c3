"""`onespike predict`: cycles of whole networks."""

from dataclasses import asdict
from typing import Annotated, Any

import typer
from rich.box import SIMPLE
from rich.table import Table

from energy.layers import SHAPES
from energy.report import measured_densities
from golden.network.reader import SDRAM
from onespike.files import reporting
from onespike.network_options import ActivityOption, TextTokensOption
from onespike.options import CLOCK, ConfigOption, PresetOption, ReportOption, SeedOption, number
from onespike.schemes import chosen_config
from onespike.tables import print_tables, working
from studies.predict.layer_cycles import LayerCycles, network_cycles


def predict_network(
    model: Annotated[str, typer.Argument(metavar="MODEL", help=f"One of {', '.join(SHAPES)}.")],
    preset_name: PresetOption = None,
    config_file: ConfigOption = None,
    density: Annotated[
        float, typer.Option("--density", metavar="X", parser=number(0, 1), help="Share of q, k, v that fire.")
    ] = 1.0,
    dense_density: Annotated[
        float,
        typer.Option(
            "--dense-density", metavar="X", parser=number(0, 1), help="Share of dense inputs that fire."
        ),
    ] = 1.0,
    activity: ActivityOption = None,
    clock: Annotated[
        float | None,
        typer.Option(
            "--clock",
            metavar="MHZ",
            parser=number(*CLOCK, " MHz"),
            help="Clock for the milliseconds. [default: the one that onespike synth closed for this core]",
            show_default=False,
        ),
    ] = None,
    tokens: TextTokensOption = None,
    streamed: Annotated[
        bool,
        typer.Option(
            "--streamed",
            help="Weights come from a 16-bit SDRAM, each once, in place of all of them in the core.",
        ),
    ] = False,
    report_file: ReportOption = None,
    seed: SeedOption = 0,
) -> None:
    """Predict the cycles of a network's attention and dense layers, one inference.

    By the cycle models of the attention core and of the neuron core, which equal the RTL cycle for cycle;
    layers follow each other. The neuron core has as many lanes, and memories as large as the network
    needs. Milliseconds are those at the clock of a build of this core, in build/synth or among those that
    come with the project (synth/figures/boards.json); where there is none they stay out unless --clock is
    given.

    Examples:

        onespike predict swin-t --preset swin-window --activity r.json --clock 60
        onespike predict bert-base
        onespike predict bert-base --tokens 64 --streamed --clock 80
    """
    config = chosen_config(preset_name, config_file)
    source = "given"
    if clock is None:
        # The tools of synthesis take a while to load
        from sim.cores.attention.core import SpikedAttentionCore
        from studies.sweep.synthesis import find_synthesised

        build = find_synthesised(SpikedAttentionCore(config))
        clock, source = (None, "unknown") if build is None else (build.clock_mhz, str(build.path))
    parts = {"": dense_density}
    if activity is not None:
        densities = measured_densities(activity)
        density, dense_density = densities.operands, densities.dense
        parts = {"": dense_density, **densities.parts}
    with reporting(report_file) as write:
        with working("predict"):
            layers = network_cycles(
                model,
                config,
                density=density,
                dense_density=parts,
                seed=seed,
                tokens=tokens,
                reader=SDRAM if streamed else None,
            )
        total = sum(layer.cycles for layer in layers)
        report: dict[str, Any] = {
            "model": model,
            "lanes": config.lanes,
            "density": density,
            "dense_density": dense_density,
            "densities": parts,
            "clock_mhz": clock,
            "clock_source": source,
            "seed": seed,
            "streamed": streamed,
            "cycles": total,
            "milliseconds": None if clock is None else total / clock / 1000,
            "layers": [asdict(layer) for layer in layers],
        }
        write(report)
    print_tables([layer_table(layers, clock, report)])
    longest = max(layers, key=lambda layer: layer.cycles)
    parts_of = by_part(layers)
    largest = max(parts_of, key=lambda part: sum(layer.cycles for layer in parts_of[part]))
    portion = sum(layer.cycles for layer in parts_of[largest]) / total
    typer.echo(
        f"longest layer: {longest.name}, {longest.cycles / total:.1%} of {total:,} cycles; "
        f"largest part: {largest}, {portion:.1%}"
    )
    if streamed:
        dense = [layer for layer in layers if layer.bound]
        memory = [layer for layer in dense if layer.bound == "memory"]
        typer.echo(
            f"{sum(layer.words for layer in dense):,} words of weights; the memory bounds {len(memory)} of "
            f"{len(dense)} dense layers, {sum(layer.cycles for layer in memory) / total:.1%} of the cycles"
        )
    if clock is None:
        typer.echo("no build of this core (onespike synth makes one): clock unknown, see --clock")
    else:
        typer.echo(f"clock {clock:g} MHz: {source}")


def by_part(layers: list[LayerCycles]) -> dict[str, list[LayerCycles]]:
    """Layers by the last word of their name: query, attention, mlp1, ..."""
    parts: dict[str, list[LayerCycles]] = {}
    for layer in layers:
        parts.setdefault(layer.name.rpartition(".")[-1], []).append(layer)
    return parts


def layer_table(layers: list[LayerCycles], clock: float | None, report: dict[str, Any]) -> Table:
    """Cycles by kind of layer: blocks repeat, so their parts are added up."""
    table = Table(
        title=f"{report['model']}: {report['lanes']} lanes, densities {report['density']:.2f} and "
        f"{report['dense_density']:.2f}, " + ("clock unknown" if clock is None else f"{clock:g} MHz"),
        box=SIMPLE,
    )
    for column in ("part", "layers", "cycles", "ms", "share", "utilisation"):
        table.add_column(column, justify="left" if column == "part" else "right")
    for part, members in [*by_part(layers).items(), ("total", layers)]:
        cycles = sum(layer.cycles for layer in members)
        used = sum(layer.utilisation * layer.cycles for layer in members) / cycles
        time = "" if clock is None else f"{cycles / clock / 1000:.2f}"
        numbers = (f"{cycles:,}", time, f"{cycles / report['cycles']:.1%}")
        table.add_row(part, str(len(members)), *numbers, f"{used:.1%}")
    return table
