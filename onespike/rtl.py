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
) -> None:
    """Write the attention core of a configuration as plain Verilog.

    A manifest beside it lists ports, payload layouts, parameters and latency.

    Examples:

        onespike rtl -o build/rtl
        onespike rtl -o build/rtl --preset tiny
        onespike rtl -o build/rtl --config mine.toml
    """
    config = chosen_config(preset_name, config_file)
    if directory.exists() and not directory.is_dir():
        raise InputError(f"-o must be a folder, not the file {directory}")
    from golden.config import to_table
    from hw.core import AttentionCore
    from hw.export import write

    core = AttentionCore(config)
    for path in write(core, "attention_core", directory, to_table(config), core.latency):
        typer.echo(path)
