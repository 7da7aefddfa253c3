"""Sizes of a network core as plain values: what a user gives, and what a generated core states."""

from dataclasses import fields, replace
from pathlib import Path
from typing import Any

from golden.attention.config import from_table as core_from_table
from golden.attention.config import to_table as core_to_table
from golden.code import check_range
from golden.errors import InputError, quoted
from golden.network.config import NetworkConfig
from golden.network.limits import MAX_TOKENS
from golden.network.network import Network
from golden.network.program import attention_lanes_for, check_fit, config_for
from golden.toml import read_toml

PLAIN = tuple(f.name for f in fields(NetworkConfig) if f.name not in ("code", "attention"))
# What a user may give; the code, the width of weights and what enters are the network's, the rest of the
# attention core follows
GIVEN = (*(name for name in PLAIN if name not in ("weight_bits", "entry")), "head_dim", "attention_tokens")
# Of them, those that are true or false
SWITCHES = ("windows", "token_counts", "shared")


def to_table(config: NetworkConfig) -> dict[str, Any]:
    """All fields; `attention`, with the code, in the schema of `golden.attention.config.to_table`."""
    return {name: getattr(config, name) for name in PLAIN} | {"attention": core_to_table(config.attention)}


def from_table(table: dict[str, Any], source: str) -> NetworkConfig:
    """Inverse of `to_table`.

    Args:
        source: what to call the table in an error.

    Raises:
        InputError: a key is missing or unknown, or a value out of range.
    """
    if set(table) != {*PLAIN, "attention"} or not isinstance(table["attention"], dict):
        raise InputError(f"{source}: must hold the sizes of a network core, it does not")
    attention = core_from_table(table["attention"], source)
    try:
        return NetworkConfig(**(table | {"attention": attention, "code": attention.code}))
    except InputError as error:
        raise InputError(f"{source}: {error}") from None


def read_sizes(path: Path) -> dict[str, int]:
    """Given sizes from a TOML file.

    Raises:
        InputError: the file cannot be read or parsed, holds an unknown key or a value of another kind.
    """
    table = read_toml(path)
    for name, value in table.items():
        if name not in GIVEN:
            raise InputError(f"{path}: unknown key {quoted(name)}; allowed are {', '.join(GIVEN)}")
        kind, known = (bool, "true or false") if name in SWITCHES else (int, "an integer")
        if type(value) is not kind:
            raise InputError(f"{path}: {name} must be {known}, not {quoted(value)}")
    return table


def sized_config(network: Network, given: dict[str, int]) -> NetworkConfig:
    """A core for a network: given sizes, and the smallest for the rest.

    Raises:
        InputError: a size is out of range, or the network does not fit: what it needs, what there is.
    """
    layout = {name: given[name] for name in ("lanes", "cluster", "weight_stream") if name in given}
    for name, known in (("tokens", "NetworkConfig.tokens"), ("attention_tokens", "attention_tokens")):
        check_range(known, given.get(name, 1), 1, MAX_TOKENS)
    config = config_for(network, **layout)
    core = config.attention
    # rows of a window; without windows all of them
    tokens = core.tokens if config.windows else max(core.tokens, given.get("tokens", 1))
    tokens = given.get("attention_tokens", tokens)
    attention = replace(
        core, tokens=tokens, lanes=max(core.lanes, attention_lanes_for(tokens)),
        head_dim=given.get("head_dim", core.head_dim),
        bias=given.get("biases", config.biases) > 0, mask=given.get("masks", config.masks) > 0,
    )  # fmt: skip
    plain: dict[str, Any] = {name: given[name] for name in PLAIN if name in given}
    config = replace(config, attention=attention, **plain)
    check_fit(network, config)
    return config
