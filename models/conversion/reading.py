"""What spikes stand for as a dense layer reads them, and what an attention attends."""

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from models.conversion.dense import bias_of
from models.conversion.thresholds import Array
from models.floating.engine import Linear as Dense


@dataclass(frozen=True, kw_only=True)
class Reading:
    """Spikes as a dense layer reads them: channel i stands for scale[i] * spike + offset[i].

    Attributes:
        source: name of the spikes.
        scale: [width]; the gain of a norm is in it.
        offset: [width], that of a norm, or the mean of what stays silent; None for none.
        start: of the float model's potentials, below which a neuron is silent whatever it stands for; None
            where its size alone decides.
        codes: of the same values, one after the other, whose mean is read; width counts them all.
        parts: of a value, one code of each after the other, whose sum is read; width counts them all.
        rows: one after the other, of so many rows of the source.
    """

    source: str
    scale: Array
    offset: NDArray[np.floating] | None = None
    start: float | None = None
    codes: int = 1
    parts: int = 1
    rows: int = 1

    def fold(self, layer: Dense) -> tuple[Array, Array]:
        """Weights and bias of a dense layer that reads spikes of phase 0 as ones."""
        bias, wide = bias_of(layer), np.tile(layer.weight / self.codes, self.codes)
        if self.parts > 1:
            of_rows = wide.reshape(len(wide), self.rows, -1)
            wide = np.tile(of_rows, self.parts).reshape(len(wide), -1)
        weight: Array = wide * self.scale
        return weight, bias if self.offset is None else bias + wide @ self.offset

    def above(self, mean: NDArray[np.floating]) -> "Reading":
        """The same with a mean added."""
        return replace(self, offset=mean if self.offset is None else self.offset + mean)

    def taken(self, times: int) -> "Reading":
        """The same of `times` rows, one after the other."""
        offset = None if self.offset is None else np.tile(self.offset, times)
        scale = np.tile(self.scale, times)
        return Reading(source=self.source, scale=scale, offset=offset, parts=self.parts, rows=times)


@dataclass(frozen=True, kw_only=True)
class Windows:
    """What an attention attends.

    Attributes:
        rows: [rows], which row of the stream stands at each place of the windows; None for the same.
        groups: windows.
        bias: [heads, size, size], added to the logits, or None.
        allowed: bool [1 or groups, size, size], or None.
    """

    rows: NDArray[np.int64] | None = None
    groups: int = 1
    bias: NDArray[np.floating] | None = None
    allowed: NDArray[np.bool_] | None = None


def positive(largest: NDArray[np.floating]) -> Array:
    """Largest magnitudes as scales: a channel that is always zero gets one all the same."""
    return np.where(largest > 0, largest, max(float(largest.max()), 1e-3))
