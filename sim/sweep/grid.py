"""The grid of a sweep: a TOML table of lists, and the points it spans."""

import hashlib
import itertools
import json
import tomllib
from dataclasses import asdict, dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

from golden.code import PhaseCode
from golden.config import CoreConfig
from golden.errors import InputError

AXES = ("lanes", "steps", "log2_base", "trace_bits", "model")
DEFAULTS: dict[str, list[Any]] = {
    "lanes": [32, 64],
    "steps": [8, 16, 24],
    "log2_base": ["2/7", "1/2", "3/4"],
    "trace_bits": [8, 12],
    "model": ["random"],
}
RANDOM = "random"


@dataclass(frozen=True, kw_only=True)
class Point:
    """One configuration on one workload.

    Attributes:
        lanes, steps, log2_base, trace_bits: of the core and its code.
        model: "random", or an .npz of heads as onespike attention reads it.
    """

    lanes: int
    steps: int
    log2_base: str
    trace_bits: int
    model: str

    @property
    def code(self) -> PhaseCode:
        return PhaseCode(steps=self.steps, log2_base=Fraction(self.log2_base), trace_bits=self.trace_bits)

    def config(self, tokens: int, head_dim: int, *, bias: bool, mask: bool) -> CoreConfig:
        """A core of this point that holds heads of this size."""
        return CoreConfig(
            code=self.code,
            lanes=self.lanes,
            tokens=tokens,
            head_dim=head_dim,
            cluster=min(8, self.lanes),
            terms_per_beat=min(4, self.lanes),
            bias=bias,
            mask=mask,
        )

    def key(self, content: str, seed: int) -> str:
        """Name of the point's result: everything that it depends on, hashed."""
        text = json.dumps(asdict(self) | {"content": content, "seed": seed}, sort_keys=True)
        return hashlib.sha256(text.encode()).hexdigest()[:16]


def read_grid(path: Path | None) -> dict[str, list[Any]]:
    """Axes from a TOML file of lists, those that are absent from DEFAULTS.

    Raises:
        InputError: unreadable, an unknown axis, an axis that is no list of its type.
    """
    if path is None:
        return DEFAULTS
    try:
        with path.open("rb") as file:
            table = tomllib.load(file)
    except OSError as error:
        raise InputError(f"{path}: cannot be read ({error.strerror or error})") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise InputError(f"{path}: not a TOML file ({error})") from None
    for axis, values in table.items():
        if axis not in AXES:
            raise InputError(f"{path}: axis must be one of {', '.join(AXES)}, not {axis!r}")
        kind = type(DEFAULTS[axis][0])
        if not isinstance(values, list) or not values or any(type(value) is not kind for value in values):
            what = "strings" if kind is str else "integers"
            raise InputError(f"{path}: {axis} must be a list of {what}, not {values!r}")
    return {axis: table.get(axis, DEFAULTS[axis]) for axis in AXES}


def span(grid: dict[str, list[Any]]) -> list[Point]:
    """Every combination; each is checked before the first one runs.

    Raises:
        InputError: a value that no core can have.
    """
    points = [
        Point(**dict(zip(AXES, values, strict=True)))
        for values in itertools.product(*(grid[axis] for axis in AXES))
    ]
    for point in points:
        try:
            point.config(1, 1, bias=False, mask=False)
        except (ValueError, ZeroDivisionError) as error:
            if isinstance(error, InputError):
                raise
            raise InputError(f"log2_base must be a fraction a/b, not {point.log2_base!r}") from None
    return points
