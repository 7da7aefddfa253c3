"""Functions between the nodes: norms and the one table of activations, in the precision of their input."""

from collections.abc import Callable
from dataclasses import dataclass
from math import erf as exact_erf
from math import pi, sqrt
from typing import Literal

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.floating]
NormKind = Literal["layer", "rms", "fixed"]


@dataclass(frozen=True, kw_only=True)
class Norm:
    """Normalisation over the last axis.

    Attributes:
        weight, bias: gain and offset [features].
        epsilon: added to the variance, or to the mean square.
        kind: "layer"; "rms", without the mean; "fixed", gain and offset alone (a trained batch norm).
    """

    weight: Floats
    bias: Floats
    epsilon: float
    kind: NormKind = "layer"


def standardise(x: Floats, norm: Norm) -> Floats:
    """What a norm does before its gain and offset."""
    if norm.kind == "fixed":
        return x
    if norm.kind == "layer":
        x = x - x.mean(axis=-1, keepdims=True)
    return x / np.sqrt(np.square(x).mean(axis=-1, keepdims=True) + x.dtype.type(norm.epsilon))


def apply_norm(x: Floats, norm: Norm) -> Floats:
    """`standardise`, then gain and offset."""
    return standardise(x, norm) * norm.weight + norm.bias


_erf64 = np.vectorize(exact_erf, otypes=[np.float64])


def erf(x: Floats) -> Floats:
    """Error function: exact in float64, else within 1.5e-7 (Abramowitz and Stegun, formula 7.1.26)."""
    if x.dtype == np.float64:
        return np.asarray(_erf64(x))
    sign, magnitude = np.sign(x), np.abs(x).astype(np.float64)
    t = 1 / (1 + 0.3275911 * magnitude)
    polynomial = t * (
        0.254829592 + t * (-0.284496736 + t * (1.421413741 + t * (-1.453152027 + t * 1.061405429)))
    )
    return np.asarray(sign * (1 - polynomial * np.exp(-magnitude * magnitude)))


def gelu(x: Floats) -> Floats:
    """x * Phi(x), Phi the normal distribution."""
    return (x * 0.5 * (1 + erf(x / sqrt(2)))).astype(x.dtype)


def gelu_tanh(x: Floats) -> Floats:
    """The approximation of gelu with tanh."""
    return (x * 0.5 * (1 + np.tanh(sqrt(2 / pi) * (x + 0.044715 * x**3)))).astype(x.dtype)


def relu(x: Floats) -> Floats:
    return np.maximum(x, 0)


@dataclass(frozen=True, kw_only=True)
class Activation:
    """What stands between the layers of an MLP.

    Attributes:
        function: f, which rises from `start` on.
        start: where neurons begin to fire; what f makes of smaller x is silent in spikes.
        linear: it leaves x > 0 as it is, so that thresholds keep their ratios.
        odd: it makes -f(x) of -x, and neurons fire with the sign of x.
    """

    function: Callable[[Floats], Floats]
    start: float = 0.0
    linear: bool = False
    odd: bool = False

    @property
    def floor(self) -> float:
        """f(start): what a silent neuron stands for."""
        return float(self.function(np.array(self.start)))

    def fired(self, above: Floats) -> Floats:
        """What spikes stand for, float64, at `start` and so much above it."""
        return self.function(np.asarray(above, dtype=np.float64) + self.start) - self.floor

    def silent(self, x: Floats) -> Floats:
        """What silence leaves out: f(x) - f(start) below `start`, elsewhere 0."""
        return np.where(x < self.start, self.function(x) - x.dtype.type(self.floor), x.dtype.type(0))


# GELU falls from 0 to -0.17 and comes back to 0, far below: from here on a neuron's spikes follow it
GELU_START = -0.5
ACTIVATIONS = {
    "gelu": Activation(function=gelu, start=GELU_START),
    "gelu_new": Activation(function=gelu_tanh, start=GELU_START),
    "gelu_pytorch_tanh": Activation(function=gelu_tanh, start=GELU_START),
    "relu": Activation(function=relu, linear=True),
}

# Between the two layers of a classifier on text
HEAD_ACTIVATIONS = {
    "tanh": Activation(function=np.tanh, odd=True),
    **{name: ACTIVATIONS[name] for name in ("gelu", "relu")},
}
