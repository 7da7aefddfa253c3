"""Parameters of a key-serial attention core: the same attention, its scores one after the other."""

import dataclasses
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from golden.attention.config import LEAN, CoreConfig, TraceStore
from golden.code import PhaseCode, read_fraction
from golden.errors import InputError, quoted
from golden.toml import read_toml
from golden.widths import index_width


@dataclass(frozen=True, kw_only=True)
class KeySerialConfig(CoreConfig):
    """What is fixed when a key-serial attention core is generated.

    As `CoreConfig`, whose jobs and integers are its own; but `lanes` are those of values, and beside them
    stand as many for scores as there are features. Points of the trace are always in block RAM, a table for
    two lanes, and terms come one per beat.
    """

    terms_per_beat: int = field(init=False, default=1)
    trace_store: TraceStore = field(init=False, default="memory")

    @property
    def bits(self) -> int:
        """Bits of a spike: whether there is one, its sign, its phase."""
        return index_width(self.code.steps) + 2

    @property
    def squares(self) -> bool:
        """Products are points of the trace, never made of squares."""
        return False


def key_serial(config: CoreConfig) -> KeySerialConfig:
    """The key-serial core of the same code, sizes, terms and output as a lane-parallel one."""
    shared = {f.name: getattr(config, f.name) for f in dataclasses.fields(KeySerialConfig) if f.init}
    return KeySerialConfig(**shared)
