"""Dense layers before they are integers: stacked, side by side, scaled."""

import numpy as np
from numpy.typing import NDArray

from models.conversion.thresholds import Array
from models.floating.engine import Linear as Dense


def bias_of(layer: Dense) -> Array:
    """Bias of a dense layer, zeros where it has none."""
    return np.zeros(len(layer.weight)) if layer.bias is None else layer.bias.astype(np.float64)


def stacked(*layers: Dense) -> Dense:
    """Dense layers of the same inputs as one."""
    return Dense(
        weight=np.concatenate([layer.weight for layer in layers]),
        bias=np.concatenate([bias_of(layer) for layer in layers]),
    )


def beside(*layers: Dense) -> Dense:
    """The sum of dense layers of different inputs, which stand one after the other."""
    return Dense(
        weight=np.concatenate([layer.weight for layer in layers], axis=1),
        bias=np.sum([bias_of(layer) for layer in layers], axis=0),
    )


def scaled(layer: Dense, gain: NDArray[np.floating] | float | None) -> Dense:
    """A dense layer whose outputs are multiplied by a gain, if any."""
    if gain is None:
        return layer
    return Dense(weight=(layer.weight.T * gain).T, bias=bias_of(layer) * gain)
