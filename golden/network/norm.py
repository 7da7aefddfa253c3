"""Deviation of a row of the residual stream as a shift of thresholds; beyond the paper."""

from typing import Literal

import numpy as np
from numpy.typing import NDArray

from golden.code import PhaseCode
from golden.network.mean import row_mean
from golden.network.octave import octave_code, resolution, square

NormKind = Literal["fixed", "rms", "layer"]
NORM_KINDS = ("fixed", "rms", "layer")


def row_shift(stream: NDArray[np.int64], kind: NormKind, code: PhaseCode) -> NDArray[np.int64]:
    """D[..., tokens] = ceil(L(sum_i square(L(x_i))) / 2): the row's deviation as a shift of thresholds.

    2**(D/R) estimates sqrt(sum x**2) within a factor 2**(-1.5/R)..2**(0.5/R) (R = 16: -6.3 %..+2.2 %)
    as long as no x above 2**-5 of the largest lies below 2**6; 0 for kind "fixed".
    """
    points = resolution(code.log2_base)
    if kind == "fixed":
        return np.zeros(stream.shape[:-1], dtype=np.int64)
    total = square(octave_code(stream, points), points).sum(axis=-1)
    return (np.maximum(octave_code(total, points), 0) + 1) >> 1


def centred(stream: NDArray[np.int64], kind: NormKind) -> NDArray[np.int64]:
    """The stream, for kind "layer" less the row's mean (`golden.network.mean`)."""
    return stream - row_mean(stream)[..., None] if kind == "layer" else stream
