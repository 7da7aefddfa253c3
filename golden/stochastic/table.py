"""Configurations of stochastic engines as flat tables: configuration files, and what a board states."""

from dataclasses import asdict, fields
from pathlib import Path
from typing import Any

from golden.errors import InputError, quoted
from golden.stochastic.config import StochasticConfig
from golden.stochastic.plan import RandomPlan
from golden.toml import read_toml

PLAN_KEYS = tuple(field.name for field in fields(RandomPlan))
ENGINE_KEYS = tuple(field.name for field in fields(StochasticConfig) if field.name != "plan")
REQUIRED = ("tokens", "head_dim")


def to_table(config: StochasticConfig) -> dict[str, Any]:
    """All fields of the engine and of its plan as one table of plain values."""
    table = asdict(config)
    return table | table.pop("plan")


def from_table(table: dict[str, Any], source: str) -> StochasticConfig:
    """Inverse of `to_table`; absent keys have their defaults, `rows` is all tokens.

    Args:
        table: keys as in `to_table`, tokens and head_dim among them.
        source: what to call the table in an error.

    Raises:
        InputError: an unknown or missing key, or a value out of range.
    """
    for key in table:
        if key not in (*ENGINE_KEYS, *PLAN_KEYS):
            raise InputError(
                f"{source}: unknown key {quoted(key)}; allowed are {', '.join((*ENGINE_KEYS, *PLAN_KEYS))}"
            )
    for key in REQUIRED:
        if key not in table:
            raise InputError(f"{source}: must hold tokens and head_dim; {key} is missing")
    engine = {"rows": table["tokens"]} | {key: table[key] for key in ENGINE_KEYS if key in table}
    try:
        plan = RandomPlan(**{key: table[key] for key in PLAN_KEYS if key in table})
        return StochasticConfig(plan=plan, **engine)
    except InputError as error:
        # In a file the fields of both classes are keys of one table
        rule = str(error).removeprefix("RandomPlan.").removeprefix("StochasticConfig.")
        raise InputError(f"{source}: {rule}") from None


def load_config(path: Path) -> StochasticConfig:
    """A configuration from a TOML file.

    Raises:
        InputError: the file cannot be read or parsed, or holds a bad configuration.
    """
    return from_table(read_toml(path), str(path))
