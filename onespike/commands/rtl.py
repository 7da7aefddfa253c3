"""`onespike rtl`: Verilog of a configuration."""

from pathlib import Path
from typing import Annotated

import typer

from golden.errors import InputError
from onespike.cores import head_core, network_module
from onespike.files import filled_folder
from onespike.options import ConfigOption, FolderOption, LanesOption, PresetOption, SchemeOption
from onespike.schemes import SCHEMES


def rtl(
    directory: FolderOption,
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
        onespike rtl -o build/rtl --scheme stochastic --network ssa.npz
    """
    SCHEMES[scheme].check_options({"--axi": axi})
    if axi and network is not None:
        raise InputError("--axi is for the attention core, it excludes --network")
    if network is not None:
        networks = network_module(scheme, preset_name)
    elif lanes is not None:
        raise InputError("--lanes is for --network, a configuration has its own")
    with filled_folder("-o", directory) as folder:
        if network is None:
            written = head_core(scheme, preset_name, config_file).write(folder, axi=axi)
        elif network.exists():
            written = networks.core_of_file(network, config_file, lanes).write(folder)
        else:
            raise InputError(f"--network must be a file that onespike infer wrote, not {str(network)!r}")
    for path in written:
        typer.echo(directory / path.name)
