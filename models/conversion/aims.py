"""What the potentials of integer layers should be: those of the float model, in the mean and row by row."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from golden.network.layers import Linear, Norm, SpikingLinear, StreamLinear
from golden.network.tensors import Layer, Run
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
        stream: value of 1 of the stream that the layer adds to.
        rows: that are summed.
    """

    layer: Dense
    unit: Array
    inputs: NDArray[np.floating]
    stream: float
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


def reader_of(layers: tuple[Layer, ...], index: int) -> int | None:
    """The norm that reads the stream as layer `index` leaves it; None where another adds to it first."""
    for place in range(index + 1, len(layers)):
        if isinstance(layers[place], StreamLinear):
            return None
        if isinstance(layers[place], Norm):
            return place
    return None


def by_rows(values: NDArray[np.floating] | None, samples: int, rows: int) -> NDArray[np.floating] | None:
    """[samples, rows, width] of floats whose rows may lie on a grid; None where they are not such rows."""
    if values is None or len(values) != samples or values[0, ..., 0].size != rows:
        return None
    return values.reshape(samples, rows, values.shape[-1])


def wanted(layer: Linear, aim: Aim, node: str, reader: str | None, run: Run, fitted: Fitted) -> Array | None:
    """Potentials [samples, rows, outputs] with which a layer would make the floats; None where it is not one
    row of them for each of its own.

    Neurons of the stream are asked for what the stream lacks, whoever owes it, where a norm reads it next.

    Args:
        node: whose inputs the layer reads.
        reader: node of the norm that reads the stream after the layer, or None.
        run: tensors before the layer.
    """
    samples, chosen = len(fitted.chosen), fitted.chosen
    if layer.gather is not None or layer.bias.ndim != 1:
        return None
    if isinstance(layer, SpikingLinear):
        rows = run.spikes[layer.source].shape[1]
        inputs = by_rows(fitted.floats.inputs.get(node), samples, rows)
        return None if inputs is None else aim.potentials(inputs)
    if not isinstance(layer, StreamLinear) or layer.fresh or reader is None:
        return None
    stream = by_rows(fitted.floats.streams.get(reader), samples, run.stream.shape[1])
    if stream is None:
        return None
    lacks = stream.astype(np.float64) / aim.stream - run.stream[chosen]
    return np.asarray(lacks * 2.0**layer.shift)
