"""The grid of a sweep: a TOML table of lists, and the points it spans."""

import itertools
import math
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from golden.attention.config import CoreConfig
from golden.code import PhaseCode, check_range, read_fraction
from golden.errors import InputError, quoted
from golden.toml import read_toml

AXES = ("lanes", "steps", "log2_base", "trace_bits", "model")
DEFAULTS: dict[str, list[Any]] = {
    "lanes": [32, 64],
    "steps": [8, 16, 24],
    "log2_base": ["2/7", "1/2", "3/4"],
    "trace_bits": [8, 12],
    "model": ["random"],
}
RANDOM = "random"
DEFAULT_IMAGES = 100
MAX_POINTS = 100_000


@dataclass(frozen=True, kw_only=True)
class Grid:
    """What a sweep runs.

    Attributes:
        axes: values by the name of the axis.
        data: folder of the idx files that networks other than the digits classify.
        images: how many held-out images a network classifies.
    """

    axes: dict[str, list[Any]]
    data: Path | None = None
    images: int = DEFAULT_IMAGES


@dataclass(frozen=True, kw_only=True)
class Point:
    """One configuration on one workload.

    Attributes:
        lanes: of the attention core; of the neuron core for a network.
        steps, log2_base, trace_bits: of the code.
        model: "random", an .npz of heads as onespike attention reads it, or a network of onespike infer.
    """

    lanes: int
    steps: int
    log2_base: str
    trace_bits: int
    model: str

    @property
    def code(self) -> PhaseCode:
        return PhaseCode(
            steps=self.steps, log2_base=read_fraction("log2_base", self.log2_base), trace_bits=self.trace_bits
        )

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


def read_grid(path: Path | None) -> Grid:
    """A TOML file of lists, and `data` and `images`; axes that are absent from DEFAULTS.

    Raises:
        InputError: unreadable, an unknown axis, an axis that is no list of its type.
    """
    if path is None:
        return Grid(axes=DEFAULTS)
    table = read_toml(path)
    data, images = table.pop("data", None), table.pop("images", DEFAULT_IMAGES)
    if not (data is None or isinstance(data, str)):
        raise InputError(f"{path}: data must be a folder in quotes, not {quoted(data)}")
    check_range(f"{path}: images", images, 1, 1 << 20)
    for axis, values in table.items():
        if axis not in AXES:
            raise InputError(
                f"{path}: axis must be one of {', '.join(AXES)}, data or images, not {quoted(axis)}"
            )
        kind = type(DEFAULTS[axis][0])
        if not isinstance(values, list) or not values or any(type(value) is not kind for value in values):
            what = "strings" if kind is str else "integers"
            raise InputError(f"{path}: {axis} must be a list of {what}, not {quoted(values)}")
    axes = {axis: table.get(axis, DEFAULTS[axis]) for axis in AXES}
    return Grid(axes=axes, data=None if data is None else Path(data), images=images)


def span(grid: dict[str, list[Any]]) -> list[Point]:
    """Every combination; each is checked before the first one runs.

    Raises:
        InputError: a value that no core can have, or too many points.
    """
    count = math.prod(len(grid[axis]) for axis in AXES)
    if count > MAX_POINTS:
        raise InputError(f"a grid must span at most {MAX_POINTS:,} points, not {count:,}")
    points = [
        Point(**dict(zip(AXES, values, strict=True)))
        for values in itertools.product(*(grid[axis] for axis in AXES))
    ]
    for point in points:
        point.config(1, 1, bias=False, mask=False)
    return points
