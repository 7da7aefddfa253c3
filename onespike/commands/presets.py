"""`onespike presets`: the named configurations."""

import json
from typing import Annotated

import typer

from golden.attention.config import PRESETS, to_table
from onespike.tables import preset_table, print_tables


def presets(
    as_json: Annotated[
        bool, typer.Option("--json", help="All keys, in the schema of configuration files.")
    ] = False,
) -> None:
    """List the named configurations.

    Examples:

        onespike presets
        onespike presets --json

    A configuration file in TOML has the same keys, all optional; `base` names the preset that
    gives the others:

        base = "default"
        lanes = 32
        tokens = 32
        log2_base = "3/7"

    `onespike attention`, `onespike rtl` take it with `--config FILE.toml`.
    """
    if as_json:
        typer.echo(json.dumps({name: to_table(config) for name, config in PRESETS.items()}, indent=2))
    else:
        print_tables([preset_table(PRESETS)])
