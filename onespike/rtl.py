"""`onespike rtl`: Verilog of a configuration."""

from pathlib import Path
from typing import Annotated

import typer

from golden.errors import InputError
from onespike.options import ConfigOption, PresetOption, chosen_config


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
            help="Network file: write the core that runs the whole network, sized to it.",
            show_default=False,
        ),
    ] = None,
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
        onespike rtl -o build/rtl --network build/infer/network.npz
    """
    if directory.exists() and not directory.is_dir():
        raise InputError(f"-o must be a folder, not the file {directory}")
    if network is not None:
        if preset_name is not None or config_file is not None:
            raise InputError("--network sizes the core itself, it excludes --preset and --config")
        if axi:
            raise InputError("--axi is for the attention core, it excludes --network")
        from hw.neuron.generate import write_network_core

        write_network_core(network, directory)
        for end in ("v", "json"):
            typer.echo(directory / f"network_core.{end}")
        return
    config = chosen_config(preset_name, config_file)
    from golden.config import to_table
    from hw.core import AttentionCore

    core = AttentionCore(config)
    if axi:
        from hw.axi import write_axi

        paths = write_axi(core, "attention_core_axis", directory, to_table(config), core.latency)
    else:
        from hw.export import write

        paths = write(core, "attention_core", directory, to_table(config), core.latency)
    for path in paths:
        typer.echo(path)
