"""Checks of the arrays a user gives: type, shape and range, each refused in one sentence."""

import numpy as np
from numpy.typing import NDArray

from golden.errors import InputError

# The arrays that every attention needs
INPUTS = ("q", "k", "v")
# Quotients and products of two inputs stay inside float64
MAX_MAGNITUDE = 1e100


def check_array(name: str, value: object, dimensions: tuple[int, ...]) -> NDArray[np.float64]:
    """`value` as float64, or InputError for a wrong type, rank or size, or a value out of range."""
    array = np.asarray(value)
    if array.dtype.kind not in "fiu":
        raise InputError(f"{name} must be an array of real numbers, not of {array.dtype}")
    if array.ndim not in dimensions:
        ranks = " or ".join(str(n) for n in dimensions)
        raise InputError(f"{name} must have {ranks} dimensions, not {array.ndim} (shape {list(array.shape)})")
    if array.size == 0:
        raise InputError(f"{name} must not be empty, its shape is {list(array.shape)}")
    array = array.astype(np.float64)
    finite = np.isfinite(array)
    if not finite.all():
        where = tuple(int(i) for i in np.argwhere(~finite)[0])
        raise InputError(f"{name} must be finite, not {array[where]} at {list(where)}")
    if np.abs(array).max() > MAX_MAGNITUDE:
        worst = array.flat[np.abs(array).argmax()]
        raise InputError(f"{name} must be at most {MAX_MAGNITUDE:g} in magnitude, not {worst:g}")
    return array


def check_scale(name: str, value: object, heads: int) -> NDArray[np.float64]:
    """`value` as float64 [heads], or InputError."""
    scale = check_array(name, value, (0, 1))
    if scale.shape not in ((), (1,), (heads,)):
        raise InputError(f"{name} must have the shape [{heads}], not {list(scale.shape)}")
    if not (scale > 0).all():
        raise InputError(f"{name} must be positive, not {scale.min():g}")
    if not (scale >= 1 / MAX_MAGNITUDE).all():
        raise InputError(f"{name} must be at least {1 / MAX_MAGNITUDE:g}, not {scale.min():g}")
    return np.broadcast_to(scale, (heads,)).copy()


def expand_mask(mask: object, heads: int, tokens: int) -> NDArray[np.bool_]:
    """`mask` as bool [heads, tokens, tokens], or InputError for a wrong type, shape or an empty row."""
    allowed = np.asarray(mask)
    if allowed.dtype != np.bool_:
        raise InputError(f"mask must be an array of bool, not of {allowed.dtype}")
    if allowed.shape not in ((tokens,), (tokens, tokens), (heads, tokens, tokens)):
        raise InputError(
            f"mask must have the shape [{tokens}] or [{heads}, {tokens}, {tokens}], not {list(allowed.shape)}"
        )
    allowed = np.broadcast_to(allowed, (heads, tokens, tokens))
    empty = np.argwhere(~allowed.any(axis=-1))
    if len(empty):
        raise InputError(
            f"mask must allow at least one key in each row, none in head {empty[0][0]}, row {empty[0][1]}"
        )
    return allowed
