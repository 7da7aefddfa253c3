"""Places of thresholds: of norms, and of activation functions."""

from collections.abc import Callable
from math import sqrt

import numpy as np
from numpy.typing import NDArray

from golden.code import PhaseCode
from golden.network.norm import NormKind
from golden.network.octave import resolution
from models.floating.norm import SpikingNorm, restore_norm

# Bits of the stream at the largest calibrated value; the rest of its word is headroom that is proven. Deep
# networks whose sums could leave the word get fewer.
MOST_STREAM_BITS, LEAST_STREAM_BITS = 17, 12
Array = NDArray[np.float64]


def norm_places(
    kind: NormKind, wished: Array, unit: float, code: PhaseCode
) -> tuple[NDArray[np.int64], Array]:
    """Places of the first thresholds of a norm, and the scales that they stand for exactly.

    Args:
        kind: of the norm.
        wished: value of a spike of phase 0 per channel; for rms and layer in units of the row's deviation.
        unit: of the stream for "fixed", else the square root of the width.
        code: of the spikes.
    """
    points = resolution(code.log2_base)
    # rms: |x| * sqrt(width) / sqrt(sum x**2) >= theta*scale*B**-p. The deviation is estimated half
    # a grid point low on average (`golden.network.norm`).
    centre = 0.0 if kind == "fixed" else 0.5
    place = points * np.log2(code.threshold_shift * wished / unit) + centre
    offset = np.floor(place + 0.5).astype(np.int64)
    return offset, wished * 2.0 ** ((offset - place) / points)


def invert(function: Callable[[NDArray[np.floating]], NDArray[np.floating]], values: Array) -> Array:
    """x >= 0 with function(x) = values > 0, for a function that rises there; by bisection."""
    low, high = np.zeros_like(values), np.ones_like(values)
    while (below := function(high) < values).any():
        high = np.where(below, 2 * high, high)
    for _ in range(80):
        middle = (low + high) / 2
        below = function(middle) < values
        low, high = np.where(below, middle, low), np.where(below, high, middle)
    return high


def prepare_norm(largest: NDArray[np.floating], stream: float, code: PhaseCode) -> SpikingNorm:
    """Thresholds of a norm from what calibration saw.

    Args:
        largest: of each channel of the normalised row, positive, [width].
        stream: largest input; headroom above it is left to the word of the stream.
        code: of the spikes.
    """
    offset, scale = norm_places("layer", largest.astype(np.float64), sqrt(len(largest)), code)
    return restore_norm(offset, scale, stream / (1 << MOST_STREAM_BITS), code)
