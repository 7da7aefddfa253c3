"""Options that several commands share."""

import math
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path
from typing import Annotated

import typer

from golden.attention.config import PRESETS, CoreConfig, load_config, preset
from golden.code import check_range, read_fraction
from golden.errors import InputError, quoted
from golden.stochastic.config import StochasticConfig
from golden.stochastic.table import load_config as load_stochastic_config

MAX_SEED = 2**32 - 1
SCHEMES = ("spiked", "stochastic")
# Bounds of a clock in MHz
CLOCK = (1e-3, 1e6)


def whole_number(text: str) -> int:
    """Parser of an integer option that says what it was given."""
    try:
        return int(text)
    except ValueError:
        raise typer.BadParameter(f"must be an integer, not {quoted(text)}") from None


def check_heads(heads: int, tokens: int, head_dim: int) -> None:
    """Raise InputError unless --heads, --tokens and --head-dim of random heads are in range."""
    check_range("--heads", heads, 1, 64)
    check_range("--tokens", tokens, 1, 1024)
    check_range("--head-dim", head_dim, 1, 256)


def number(low: float, high: float, unit: str = "") -> Callable[[str], float]:
    """Parser of an option that is a number in low..high of a unit; NaN is not."""

    def parse(text: str) -> float:
        try:
            value = float(text)
        except ValueError:
            value = math.nan
        if not low <= value <= high:
            raise typer.BadParameter(f"must be a number in {low:g}..{high:g}{unit}, not {quoted(text)}")
        return value

    return parse


def fraction(text: str) -> Fraction:
    """Parser of --log2-base."""
    try:
        return read_fraction("log2_base", str(text))  # a default comes as it is
    except InputError as error:
        raise typer.BadParameter(str(error).removeprefix("log2_base ")) from None


def scheme_name(text: str) -> str:
    """Parser of --scheme."""
    if text not in SCHEMES:
        raise typer.BadParameter(f"must be one of {', '.join(SCHEMES)}, not {quoted(text)}")
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
            f"--preset and --config exclude each other, not {quoted(preset_name)} with {config_file} "
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
        raise InputError(f"--preset needs --scheme spiked, not stochastic ({quoted(preset_name)})")
    if config_file is None:
        raise InputError("--scheme stochastic needs --config, a file with tokens and head_dim of the engine")
    return load_stochastic_config(config_file)
