"""Floats that remember what calibration asks for: ranges, means, and what silent neurons leave out."""

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from golden.inputs import without_unattended
from models.floating.engine import FloatEngine, Floats, Linear
from models.floating.functions import Activation, Norm, standardise


@dataclass
class Moments:
    """Sums over rows of what enters an MLP, x [inputs], and of what silent neurons leave out, y [outputs].

    Attributes:
        rows: how many.
        x, y, xx, xy: sums of x and y, and of their products, [inputs, inputs] and [inputs, outputs].
    """

    rows: int = 0
    x: Floats | float = 0.0
    y: Floats | float = 0.0
    xx: Floats | float = 0.0
    xy: Floats | float = 0.0

    def add(self, x: Floats, y: Floats) -> None:
        """Rows [..., inputs] and [..., outputs]."""
        x, y = (part.reshape(-1, part.shape[-1]).astype(np.float64) for part in (x, y))
        self.rows += len(x)
        self.x, self.y = self.x + x.sum(axis=0), self.y + y.sum(axis=0)
        self.xx, self.xy = self.xx + x.T @ x, self.xy + x.T @ y

    def fit(self, samples: float) -> Linear:
        """The layer of least squares from x to y, held back by so many rows of the mean (ridge)."""
        x, y = np.asarray(self.x) / self.rows, np.asarray(self.y) / self.rows
        xx = np.asarray(self.xx) - self.rows * np.outer(x, x)
        xy = np.asarray(self.xy) - self.rows * np.outer(x, y)
        held = samples / self.rows * np.trace(xx) / len(x)
        weight = np.zeros_like(xy.T)  # where all rows are alike, but for rounding, the mean says everything
        if np.trace(xx) > 1e-9 * np.trace(self.xx):
            weight = np.linalg.solve(xx + held * np.eye(len(x)), xy).T
        return Linear(weight=weight, bias=y - weight @ x)


@dataclass
class Ranges:
    """What calibration saw at the inputs of spiking nodes: largest magnitudes, and a mean.

    Attributes:
        linear: per node, [inputs].
        lobe: per dense node behind an activation, [inputs]: sum over all rows of what silent neurons leave
            out of it (`Activation.silent`).
        total: per dense node and norm, sum over all rows: of inputs [inputs], or of outputs [width].
        rows: per dense node and norm, how many rows there were.
        lobes: per second layer of an MLP, what entered the first one and what it makes of that which silent
            neurons leave out.
        attention: per node, [4, heads, d]: q, k, v and the output.
        norm: per node, [width]: a row before gain and offset.
        stream: per norm, and where the stream is read without one, [width].
    """

    linear: dict[str, Floats] = field(default_factory=dict)
    lobe: dict[str, Floats] = field(default_factory=dict)
    total: dict[str, Floats] = field(default_factory=dict)
    lobes: dict[str, Moments] = field(default_factory=dict)
    rows: dict[str, int] = field(default_factory=dict)
    attention: dict[str, Floats] = field(default_factory=dict)
    norm: dict[str, Floats] = field(default_factory=dict)
    stream: dict[str, Floats] = field(default_factory=dict)

    def silent_mean(self, name: str) -> Floats:
        """Mean of what silent neurons leave out of a dense node's inputs, [inputs]."""
        return self.lobe[name] / self.rows[name]

    def mean(self, name: str) -> Floats:
        """Mean input of a dense node, [inputs], or output of a norm, [width]."""
        return self.total[name] / self.rows[name]


class RecordingEngine(FloatEngine):
    """Floats, remembering the largest magnitudes in `ranges`."""

    def __init__(self) -> None:
        self.ranges = Ranges()
        # what the activation before the next dense layer leaves out, if there is one; what entered the MLP
        self.silent: Floats | None = None
        self.entered: Floats = np.zeros(0)

    def activate(self, x: Floats, activation: Activation) -> Floats:
        self.silent = activation.silent(x)
        return super().activate(x, activation)

    def linear(self, name: str, x: Floats, layer: Linear) -> Floats:
        ranges, rows = self.ranges, tuple(range(x.ndim - 1))
        _raise_to(ranges.linear, name, np.abs(x).max(axis=rows))
        silent, self.silent = self.silent, None
        self._add_up(name, x)
        part = name.rpartition(".")[2]
        if silent is not None:
            lobe = silent.sum(axis=rows, dtype=np.float64)
            ranges.lobe[name] = ranges.lobe.get(name, 0.0) + lobe
            if part == "mlp2" and lobe.any():
                ranges.lobes.setdefault(name, Moments()).add(self.entered, silent @ layer.weight.T)
        if part == "mlp1":
            self.entered = x
        return super().linear(name, x, layer)

    def _add_up(self, name: str, x: Floats) -> None:
        ranges, rows = self.ranges, tuple(range(x.ndim - 1))
        ranges.total[name] = ranges.total.get(name, 0.0) + x.sum(axis=rows, dtype=np.float64)
        ranges.rows[name] = ranges.rows.get(name, 0) + x.size // x.shape[-1]

    def attention(
        self,
        name: str,
        q: Floats,
        k: Floats,
        v: Floats,
        bias: Floats | None = None,
        allowed: NDArray[np.bool_] | None = None,
    ) -> Floats:
        out = super().attention(name, q, k, v, bias, allowed)
        k, v = (without_unattended(x, allowed) for x in (k, v))
        largest = [np.abs(x).max(axis=(0, 2)) for x in (q, k, v, out)]
        _raise_to(self.ranges.attention, name, np.stack(largest))
        return out

    def norm(self, name: str, x: Floats, norm: Norm) -> Floats:
        normal = standardise(x, norm)
        _raise_to(self.ranges.norm, name, np.abs(normal).reshape(-1, x.shape[-1]).max(axis=0))
        self.stream(name, x)
        out = super().norm(name, x, norm)
        self._add_up(name, out)
        return out

    def stream(self, name: str, x: Floats) -> Floats:
        _raise_to(self.ranges.stream, name, np.abs(x).reshape(-1, x.shape[-1]).max(axis=0))
        return super().stream(name, x)


def _raise_to(store: dict[str, Floats], name: str, values: Floats) -> None:
    store[name] = np.maximum(store[name], values) if name in store else values
