"""Matrices as 8-bit integers with a scale per row, as files of the larger networks hold them."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from golden.errors import InputError

Arrays = dict[str, NDArray[Any]]
WEIGHT, SCALE = ".weight", ".scale"


def to_eight_bits(arrays: Arrays) -> Arrays:
    """Every matrix `NAME.weight` [outputs, inputs] as int8, with `NAME.scale` float32 [outputs]: the largest
    weight of a row is 127. All else as it is."""
    found = dict(arrays)
    for name, weight in arrays.items():
        if name.endswith(WEIGHT) and weight.ndim == 2:
            scale = np.maximum(np.abs(weight).max(axis=1), 1e-30).astype(np.float32) / np.float32(127)
            found[name] = np.floor(weight / scale[:, None] + 0.5).clip(-127, 127).astype(np.int8)
            found[name.removesuffix(WEIGHT) + SCALE] = scale
    return found


def from_eight_bits(arrays: Arrays) -> Arrays:
    """The matrices in float32, int8 times scale, and all else.

    Raises:
        InputError: int8 without a scale, a scale of another shape, or without int8.
    """
    found = {name: array for name, array in arrays.items() if not name.endswith(SCALE)}
    for name in (name for name in arrays if name.endswith(SCALE)):
        weight = arrays.get(name.removesuffix(SCALE) + WEIGHT)
        if weight is None or weight.dtype != np.int8 or weight.ndim != 2:
            raise InputError(f"{name:.80} must belong to a matrix of int8")
    for name, array in found.items():
        if array.dtype == np.int8:
            scale = arrays.get(name.removesuffix(WEIGHT) + SCALE)
            if scale is None or scale.dtype != np.float32 or scale.shape != array.shape[:1]:
                raise InputError(f"{name:.80} of int8 must have a scale, float32 [{len(array)}]")
            found[name] = array.astype(np.float32) * scale[:, None]
    return found
