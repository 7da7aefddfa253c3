"""Thresholds of a layer norm in spikes, from recorded ranges."""

from math import sqrt

import numpy as np
from numpy.typing import NDArray

from golden.code import PhaseCode
from models.conversion.builder import MOST_STREAM_BITS, norm_places
from models.floating.norm import SpikingNorm, restore_norm


def prepare_norm(largest: NDArray[np.floating], stream: float, code: PhaseCode) -> SpikingNorm:
    """Thresholds of a norm from what calibration saw.

    Args:
        largest: of each channel of the normalised row, positive, [width].
        stream: largest input; headroom above it is left to the word of the stream.
        code: of the spikes.
    """
    offset, scale = norm_places("layer", largest.astype(np.float64), sqrt(len(largest)), code)
    return restore_norm(offset, scale, stream / (1 << MOST_STREAM_BITS), code)
