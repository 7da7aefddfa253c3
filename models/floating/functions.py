"""Functions between the nodes, in float32: norms and activation functions."""

from dataclasses import dataclass
from math import pi, sqrt

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.floating]


@dataclass(frozen=True, kw_only=True)
class Norm:
    """Layer normalisation over the last axis: gain and offset [features], epsilon."""

    weight: Floats
    bias: Floats
    epsilon: float


def standardise(x: Floats, epsilon: float) -> Floats:
    """(x - mean) / sqrt(variance + epsilon)."""
    centred = x - x.mean(axis=-1, keepdims=True)
    variance = np.square(centred).mean(axis=-1, keepdims=True)
    return centred / np.sqrt(variance + np.float32(epsilon))


def layer_norm(x: Floats, norm: Norm) -> Floats:
    """`standardise`, then gain and offset."""
    return standardise(x, norm.epsilon) * norm.weight + norm.bias


def erf(x: Floats) -> Floats:
    """Error function by Abramowitz and Stegun, formula 7.1.26: absolute error at most 1.5e-7."""
    sign, magnitude = np.sign(x), np.abs(x).astype(np.float64)
    t = 1 / (1 + 0.3275911 * magnitude)
    polynomial = t * (
        0.254829592 + t * (-0.284496736 + t * (1.421413741 + t * (-1.453152027 + t * 1.061405429)))
    )
    return sign * (1 - polynomial * np.exp(-magnitude * magnitude))


def gelu(x: Floats) -> Floats:
    """x * Phi(x), Phi the normal distribution."""
    return (x * 0.5 * (1 + erf(x / sqrt(2)))).astype(np.float32)


def gelu_tanh(x: Floats) -> Floats:
    """The approximation of gelu with tanh."""
    return (x * 0.5 * (1 + np.tanh(sqrt(2 / pi) * (x + 0.044715 * x**3)))).astype(np.float32)


def relu(x: Floats) -> Floats:
    return np.maximum(x, 0)


ACTIVATIONS = {
    "gelu": gelu,
    "gelu_new": gelu_tanh,
    "gelu_pytorch_tanh": gelu_tanh,
    "relu": relu,
}
