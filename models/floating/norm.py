"""Layer norm of a float model in spikes: the norm of `golden.network` between two float values.

The row enters as the integers of a residual stream. Its spikes are the norm's, before gain and offset,
which the weights that read them carry. What is left out: the epsilon.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from golden.code import PhaseCode
from golden.network.layers import Norm as NormLayer
from golden.network.octave import geometric_levels


@dataclass(frozen=True, kw_only=True)
class SpikingNorm:
    """A norm of kind "layer".

    Attributes:
        code: of its spikes.
        layer: the integers of `golden.network.layers.Norm`.
        unit: real value of one unit of the stream.
        scale: value of a spike of phase 0 before gain and offset, float64 [width].
    """

    code: PhaseCode
    layer: NormLayer
    unit: float
    scale: NDArray[np.float64]


def restore_norm(
    offset: NDArray[np.int64], scale: NDArray[np.float64], unit: float, code: PhaseCode
) -> SpikingNorm:
    """A norm from the numbers that describe it."""
    layer = NormLayer(target="norm", kind="layer", offset=offset, levels=geometric_levels(code))
    return SpikingNorm(code=code, layer=layer, unit=unit, scale=scale)


def stream_of(x: NDArray[np.floating], unit: float) -> NDArray[np.int64]:
    """x in units of the stream: floor(x/unit + 1/2), int64."""
    return np.floor(x.astype(np.float64) / unit + 0.5).astype(np.int64)
