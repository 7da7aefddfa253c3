"""Parameters of a key-serial attention core: the same attention, its scores one after the other."""

import dataclasses
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, cast

from golden.attention import config as lane_parallel
from golden.attention.config import CoreConfig, ScoreStore, TraceStore
from golden.toml import read_toml
from golden.widths import index_width


@dataclass(frozen=True, kw_only=True)
class KeySerialConfig(CoreConfig):
    """What is fixed when a key-serial attention core is generated.

    Fields, jobs and integers are those of `CoreConfig`; but `lanes` are those of values, and beside them
    stand as many for scores as there are features. Points of the trace are always in block RAM, a table for
    two lanes, and terms come one per beat.
    """

    terms_per_beat: int = field(init=False, default=1)
    trace_store: TraceStore = field(init=False, default="memory")
    score_store: ScoreStore = field(init=False, default="registers")

    @property
    def bits(self) -> int:
        """Bits of a spike: whether there is one, its sign, its phase."""
        return index_width(self.code.steps) + 2

    @property
    def squares(self) -> bool:
        """Products are points of the trace, never made of squares."""
        return False


def key_serial(config: CoreConfig) -> KeySerialConfig:
    """The key-serial core of the code, sizes, terms and output of a lane-parallel one."""
    shared = {f.name: getattr(config, f.name) for f in dataclasses.fields(KeySerialConfig) if f.init}
    return KeySerialConfig(**shared)


def preset(name: str) -> KeySerialConfig:
    """The key-serial core of the named preset.

    Raises:
        InputError: no preset has this name.
    """
    return key_serial(lane_parallel.preset(name))


def lane_per_token(tokens: int, head_dim: int) -> KeySerialConfig:
    """The core with a value lane for every token, without bias and mask: the fastest for this size.

    Raises:
        InputError: no core is that large.
    """
    return key_serial(lane_parallel.lane_per_token(tokens, head_dim))


def from_table(table: dict[str, Any], source: str) -> KeySerialConfig:
    """A configuration from a flat table; see `golden.attention.config.from_table`."""
    return cast(KeySerialConfig, lane_parallel.from_table(table, source, preset))


def load_config(path: Path) -> KeySerialConfig:
    """A configuration from a TOML file.

    Raises:
        InputError: the file cannot be read or parsed, or holds a bad configuration.
    """
    return from_table(read_toml(path), str(path))
