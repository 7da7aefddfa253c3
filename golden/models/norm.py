"""Layer norm of a float model in spikes: the norm of `golden.network` between two float values.

The row enters as the integers of a residual stream. Its spikes are the norm's, before gain and offset,
which the weights that read them carry. What is left out: the epsilon.
"""

from dataclasses import dataclass
from math import sqrt

import numpy as np
from numpy.typing import NDArray

from golden.code import PhaseCode
from golden.network.convert import STREAM_UNIT_BITS, norm_places
from golden.network.layers import Norm as NormLayer
from golden.network.octave import geometric_levels


@dataclass(frozen=True, kw_only=True)
class SpikingNorm:
    """A norm of kind "layer".

    Attributes:
        code: of its spikes.
        layer: the integers of `golden.network.layers.normalise`.
        unit: real value of one unit of the stream.
        scale: value of a spike of phase 0 before gain and offset, float64 [width].
    """

    code: PhaseCode
    layer: NormLayer
    unit: float
    scale: NDArray[np.float64]


def prepare_norm(largest: NDArray[np.floating], stream: float, code: PhaseCode) -> SpikingNorm:
    """Thresholds of a norm from what calibration saw.

    Args:
        largest: of each channel of the normalised row, positive, [width].
        stream: largest input; headroom above it is left to the word of the stream.
        code: of the spikes.
    """
    offset, scale = norm_places("layer", largest.astype(np.float64), sqrt(len(largest)), code)
    return restore_norm(offset, scale, stream / (1 << STREAM_UNIT_BITS), code)


def restore_norm(
    offset: NDArray[np.int64], scale: NDArray[np.float64], unit: float, code: PhaseCode
) -> SpikingNorm:
    """A norm from the numbers that describe it."""
    layer = NormLayer(target="norm", kind="layer", offset=offset, levels=geometric_levels(code))
    return SpikingNorm(code=code, layer=layer, unit=unit, scale=scale)


def stream_of(x: NDArray[np.floating], unit: float) -> NDArray[np.int64]:
    """x in units of the stream: floor(x/unit + 1/2), int64."""
    return np.floor(x.astype(np.float64) / unit + 0.5).astype(np.int64)
