"""What the potentials of integer layers should be: those of the float model, in the mean and row by row."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from models.conversion.dense import bias_of
from models.conversion.thresholds import Array
from models.floating.engine import Linear as Dense
from models.floating.rows import RowsEngine


@dataclass(frozen=True, kw_only=True, eq=False)
class Aim:
    """What a linear layer should make.

    Attributes:
        layer: of floats, which it stands for.
        unit: [outputs], value of a potential of 1.
        inputs: means over the calibration, [inputs].
        rows: that are summed.
    """

    layer: Dense
    unit: Array
    inputs: NDArray[np.floating]
    rows: int = 1

    @property
    def mean(self) -> Array:
        """Mean potentials [outputs]."""
        return (bias_of(self.layer) + self.layer.weight @ self.inputs) * self.rows / self.unit

    def potentials(self, inputs: NDArray[np.floating]) -> Array:
        """Potentials [..., outputs] of float inputs [..., inputs]."""
        return np.asarray((inputs @ self.layer.weight.T.astype(np.float64) + bias_of(self.layer)) / self.unit)


@dataclass(frozen=True, kw_only=True, eq=False)
class Fitted:
    """Samples of a batch that weights are fitted to.

    Attributes:
        chosen: which of the batch, int64 [samples], rising.
        floats: of these samples alone.
    """

    chosen: NDArray[np.int64]
    floats: RowsEngine

    def inputs(self, node: str, rows: int) -> NDArray[np.floating] | None:
        """[samples, rows, inputs] that a dense node reads; None where it does not read so many rows, in their
        order: those of windows, which count as samples, or of one token.
        """
        values = self.floats.inputs[node]
        if len(values) != len(self.chosen) or values[0, ..., 0].size != rows:
            return None
        return values.reshape(len(values), rows, values.shape[-1])
