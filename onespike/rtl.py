"""`onespike rtl`: Verilog of a configuration."""

from pathlib import Path
from typing import Annotated

import typer

from golden.errors import InputError
from onespike.options import (
    ConfigOption,
    LanesOption,
    PresetOption,
    SchemeOption,
    chosen_config,
    stochastic_config,
)


def rtl(
    directory: Annotated[
        Path,
        typer.Option("-o", "--output", metavar="DIR", help="Folder to write to; made if absent."),
    ],
    preset_name: PresetOption = None,
    config_file: ConfigOption = None,
    network: Annotated[
        Path | None,
        typer.Option(
            "--network",
            metavar="FILE.npz",
            help="Network file: write the core that runs the whole network, sized to it; "
            "--config may give sizes.",
            show_default=False,
        ),
    ] = None,
    lanes: LanesOption = None,
    scheme: SchemeOption = "spiked",
    axi: Annotated[
        bool,
        typer.Option(
            "--axi", help="AXI4-Stream ports, and a FuseSoC core file beside the Verilog. See docs/ip.md."
        ),
    ] = False,
) -> None:
    """Write the attention core of a configuration, or the core of a whole network, as plain Verilog.

    A manifest beside it lists ports, payload layouts, parameters and latency.

    Examples:

        onespike rtl -o build/rtl
        onespike rtl -o build/rtl --preset tiny
        onespike rtl -o build/rtl --config mine.toml
        onespike rtl -o build/ip --preset tiny --axi
        onespike rtl -o build/rtl --scheme stochastic --config engine.toml
        onespike rtl -o build/rtl --network build/infer/network.npz
        onespike rtl -o build/rtl --network build/infer/network.npz --lanes 64
    """
    if directory.exists() and not directory.is_dir():
        raise InputError(f"-o must be a folder, not the file {directory}")
    if axi and (network is not None or scheme != "spiked"):
        raise InputError("--axi is for the attention core, it excludes --network and --scheme stochastic")
    if network is not None:
        if scheme != "spiked":
            raise InputError(f"--network needs --scheme spiked, not {scheme}")
        if preset_name is not None:
            raise InputError("--network sizes the core itself, it excludes --preset")
        from golden.network.sizes import read_sizes
        from hw.neuron.generate import write_network_core

        given = {} if config_file is None else read_sizes(config_file)
        if lanes is not None:
            given["lanes"] = lanes
        for path in write_network_core(network, directory, given):
            typer.echo(path)
        return
    if lanes is not None:
        raise InputError("--lanes is for --network, a configuration has its own")
    from hw.export import write

    written: tuple[Path, ...]
    if scheme == "stochastic":
        from golden.stochastic.table import to_table as engine_table
        from hw.stochastic.core import StochasticAttention

        engine = StochasticAttention(stochastic_config(preset_name, config_file))
        written = write(
            engine, "stochastic_attention", directory, engine_table(engine.config), {"head": engine.latency}
        )
    else:
        from golden.config import to_table
        from hw.core import AttentionCore

        config = chosen_config(preset_name, config_file)
        core = AttentionCore(config)
        table = to_table(config)
        if axi:
            from hw.axi import write_axi

            written = write_axi(core, "attention_core_axis", directory, table, core.latency)
        else:
            written = write(core, "attention_core", directory, table, core.latency)
    for path in written:
        typer.echo(path)
