"""Options that several commands share."""

from pathlib import Path
from typing import Annotated

import typer

from golden.config import PRESETS, CoreConfig, load_config, preset
from golden.errors import InputError
from golden.stochastic.config import StochasticConfig
from golden.stochastic.table import load_config as load_stochastic_config

MAX_SEED = 2**32 - 1
SCHEMES = ("spiked", "stochastic")


def whole_number(text: str) -> int:
    """Parser of an integer option that says what it was given."""
    try:
        return int(text)
    except ValueError:
        raise typer.BadParameter(f"must be an integer, not {text!r}") from None


def scheme_name(text: str) -> str:
    """Parser of --scheme."""
    if text not in SCHEMES:
        raise typer.BadParameter(f"must be one of {', '.join(SCHEMES)}, not {text!r}")
    return text


SchemeOption = Annotated[
    str,
    typer.Option(
        "--scheme",
        metavar="|".join(SCHEMES),
        parser=scheme_name,
        help="`spiked`: SpikedAttention, one spike per neuron; `stochastic`: stochastic spiking "
        "attention (SSA), Bernoulli spike trains.",
    ),
]
PresetOption = Annotated[
    str | None,
    typer.Option(
        "--preset",
        metavar="NAME",
        help=f"Named configuration: {', '.join(PRESETS)}. See `onespike presets`. [default: default]",
        show_default=False,
    ),
]
ConfigOption = Annotated[
    Path | None,
    typer.Option(
        "--config",
        metavar="FILE.toml",
        help="Configuration file: the keys that `onespike presets --json` shows, all optional, "
        "and `base`, the preset that gives the others; of a stochastic engine those of its "
        "parameters and random numbers (docs/stochastic.md).",
        show_default=False,
    ),
]
LanesOption = Annotated[
    int | None,
    typer.Option(
        "--lanes",
        metavar="N",
        parser=whole_number,
        help="Neurons at work at once in the core of a whole network. [default: 32]",
        show_default=False,
    ),
]
DataOption = Annotated[
    Path | None,
    typer.Option(
        "--data",
        metavar="DIR",
        help="Folder with the idx files of a network's images (Fashion-MNIST); "
        "for a FILE the handwritten digits when absent.",
        show_default=False,
    ),
]
SeedOption = Annotated[
    int,
    typer.Option("--seed", metavar="N", parser=whole_number, help="Seed of everything random."),
]


def chosen_config(preset_name: str | None, config_file: Path | None) -> CoreConfig:
    """The configuration that --preset or --config names.

    Raises:
        InputError: both are given, or the one given is not usable.
    """
    if preset_name is not None and config_file is not None:
        raise InputError(
            f"--preset and --config exclude each other, not {preset_name!r} with {config_file} "
            "(a configuration file names its preset with base)"
        )
    if config_file is not None:
        return load_config(config_file)
    return preset("default" if preset_name is None else preset_name)


def stochastic_config(preset_name: str | None, config_file: Path | None) -> StochasticConfig:
    """The stochastic engine that --config describes; there are no presets of it.

    Raises:
        InputError: --preset is given, or --config is absent or not usable.
    """
    if preset_name is not None:
        raise InputError(f"--preset needs --scheme spiked, not stochastic ({preset_name!r})")
    if config_file is None:
        raise InputError("--scheme stochastic needs --config, a file with tokens and head_dim of the engine")
    return load_stochastic_config(config_file)
