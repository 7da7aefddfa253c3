"""Scales from data: the value that a spike of phase 0 stands for."""

from typing import Literal

import numpy as np
from numpy.typing import NDArray

Granularity = Literal["tensor", "head", "channel"]

_KEPT_AXES: dict[str, tuple[int, ...]] = {"tensor": (), "head": (-3,), "channel": (-3, -1)}


def calibrate(values: NDArray[np.floating], granularity: Granularity = "head") -> NDArray[np.float64]:
    """Largest magnitude of `values`, one if all are zero.

    Args:
        values: [..., heads, tokens, head_dim]; axes before heads are samples.
        granularity: one scale per tensor, head, or channel of each head.

    Returns:
        float64 scales: scalar [], [heads] or [heads, head_dim].
    """
    kept = {values.ndim + axis for axis in _KEPT_AXES[granularity]}
    axes = tuple(axis for axis in range(values.ndim) if axis not in kept)
    largest = np.abs(values).max(axis=axes).astype(np.float64)
    return np.where(largest > 0, largest, 1.0)
