"""`onespike rtl`: Verilog of a configuration."""

from pathlib import Path
from typing import Annotated

import typer

from golden.attention.config import CoreConfig, to_table
from golden.errors import InputError
from golden.stochastic.config import StochasticConfig
from golden.stochastic.table import to_table as engine_table
from onespike.files import filled_folder
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
    if axi and (network is not None or scheme != "spiked"):
        raise InputError("--axi is for the attention core, it excludes --network and --scheme stochastic")
    if network is not None:
        if scheme != "spiked":
            raise InputError(f"--network needs --scheme spiked, not {scheme}")
        if preset_name is not None:
            raise InputError("--network sizes the core itself, it excludes --preset")
    elif lanes is not None:
        raise InputError("--lanes is for --network, a configuration has its own")
    with filled_folder("-o", directory) as folder:
        if network is not None:
            written = _write_network_core(network, config_file, lanes, folder)
        elif scheme == "stochastic":
            written = _write_engine(stochastic_config(preset_name, config_file), folder)
        else:
            written = _write_core(chosen_config(preset_name, config_file), axi, folder)
    for path in written:
        typer.echo(directory / path.name)


def _write_network_core(
    network: Path, config_file: Path | None, lanes: int | None, folder: Path
) -> tuple[Path, ...]:
    from golden.network.sizes import read_sizes
    from hw.network.generate import write_network_core

    if not network.exists():
        raise InputError(f"--network must be a file that onespike infer wrote, not {str(network)!r}")
    given = {} if config_file is None else read_sizes(config_file)
    if lanes is not None:
        given["lanes"] = lanes
    return write_network_core(network, folder, given)


def _write_engine(config: StochasticConfig, folder: Path) -> tuple[Path, ...]:
    from hw.export.verilog import write
    from hw.stochastic.core import StochasticAttention

    engine = StochasticAttention(config)
    return write(engine, "stochastic_attention", folder, engine_table(config), {"head": engine.latency})


def _write_core(config: CoreConfig, axi: bool, folder: Path) -> tuple[Path, ...]:
    from hw.attention.core import AttentionCore
    from hw.export.axi import write_axi
    from hw.export.verilog import write

    core = AttentionCore(config)
    if axi:
        return write_axi(core, "attention_core_axis", folder, to_table(config), core.latency)
    return write(core, "attention_core", folder, to_table(config), core.latency)
