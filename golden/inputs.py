"""Checks of the arrays a user gives: type, shape and range, each refused in one sentence."""

from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from golden.errors import InputError

# The arrays that every attention needs
INPUTS = ("q", "k", "v")
# Results are float32; quotients and products of two inputs stay inside float64
MAX_MAGNITUDE = float(np.finfo(np.float32).max)
MIN_SCALE = 1e-100
# An additive logit of this or less masks its key. Frameworks write a mask as -inf, as the lowest number
# of a type, as -1e9 or as -1e4, and add other logits to it; exp(-5000) is 0 in float64.
MASKING_BIAS = -5000.0

Float = TypeVar("Float", bound=np.floating)


def check_array(name: str, value: object, dimensions: tuple[int, ...]) -> NDArray[np.float64]:
    """`value` as float64, or InputError for a wrong type, rank or size, or a value out of range."""
    array = check_kind(name, value, dimensions)
    check_values(name, array)
    return array


def check_kind(name: str, value: object, dimensions: tuple[int, ...]) -> NDArray[np.float64]:
    """`value` as float64, or InputError for a wrong type, rank or size."""
    array = np.asarray(value)
    if array.dtype.kind not in "fiu":
        raise InputError(f"{name} must be an array of real numbers, not of {array.dtype}")
    if array.ndim not in dimensions:
        ranks = " or ".join(str(n) for n in dimensions)
        raise InputError(f"{name} must have {ranks} dimensions, not {array.ndim} (shape {list(array.shape)})")
    if array.size == 0:
        raise InputError(f"{name} must not be empty, its shape is {list(array.shape)}")
    return array.astype(np.float64)


def check_values(name: str, array: NDArray[np.float64]) -> None:
    """Raise InputError unless all values are finite and at most `MAX_MAGNITUDE` in magnitude."""
    finite = np.isfinite(array)
    if not finite.all():
        where = tuple(int(i) for i in np.argwhere(~finite)[0])
        raise InputError(f"{name} must be finite, not {array[where]} at {list(where)}")
    if np.abs(array).max() > MAX_MAGNITUDE:
        worst = array.flat[np.abs(array).argmax()]
        raise InputError(f"{name} must be at most {MAX_MAGNITUDE:g} in magnitude, not {worst:g}")


def check_heads(
    q: object, k: object, v: object, bias: object, mask: object
) -> tuple[dict[str, NDArray[np.float64]], NDArray[np.float64] | None, NDArray[np.bool_] | None]:
    """Attention heads as users give them, in one form.

    Args:
        q, k, v: real [heads, tokens, head_dim], or [tokens, head_dim] for one head.
        bias, mask: see `check_terms`.

    Returns:
        (q, k and v by name, float64 [heads, tokens, head_dim]; bias; allowed). Keys and values that no row
        may attend are zero.

    Raises:
        InputError: wrong type or shape, a value that is not finite or out of range, a row without any key.
    """
    arrays = {name: check_kind(name, value, (2, 3)) for name, value in zip(INPUTS, (q, k, v), strict=True)}
    arrays = {name: value.reshape((-1, *value.shape[-2:])) for name, value in arrays.items()}
    shape = arrays["q"].shape
    for name in ("k", "v"):
        if arrays[name].shape != shape:
            raise InputError(
                f"{name} must have the shape of q, {list(shape)}, not {list(arrays[name].shape)}"
            )
    terms, allowed = check_terms(bias, mask, *shape[:2])
    for name in ("k", "v"):
        arrays[name] = without_unattended(arrays[name], allowed)
    for name, array in arrays.items():
        check_values(name, array)
    return arrays, terms, allowed


def check_scale(name: str, value: object, heads: int) -> NDArray[np.float64]:
    """`value` as float64 [heads], or InputError."""
    scale = check_array(name, value, (0, 1))
    if scale.shape not in ((), (1,), (heads,)):
        raise InputError(f"{name} must have the shape [{heads}], not {list(scale.shape)}")
    if not (scale > 0).all():
        raise InputError(f"{name} must be positive, not {scale.min():g}")
    if not (scale >= MIN_SCALE).all():
        raise InputError(f"{name} must be at least {MIN_SCALE:g}, not {scale.min():g}")
    return np.broadcast_to(scale, (heads,)).copy()


def check_terms(
    bias: object, mask: object, heads: int, tokens: int
) -> tuple[NDArray[np.float64] | None, NDArray[np.bool_] | None]:
    """What is added to the scores, and which keys a row may attend.

    Args:
        bias: real [heads, tokens, tokens], [tokens, tokens] for one head, or None. Not looked at where
            the mask forbids a key; `MASKING_BIAS` and less, -inf among them, forbids it too.
        mask: bool [tokens] or [heads, tokens, tokens], True = may be attended, or None.

    Returns:
        (bias, allowed), each [heads, tokens, tokens] or None. The bias is zero where not allowed, and
        None where it did nothing but mask.

    Raises:
        InputError: wrong type or shape, a bias that is not finite, a row without any key.
    """
    allowed = None if mask is None else _expand_mask(mask, heads, tokens)
    if bias is None:
        return None, allowed
    terms = check_kind("bias", bias, (2, 3))
    terms = terms.reshape((-1, *terms.shape[-2:]))
    if terms.shape != (heads, tokens, tokens):
        raise InputError(f"bias must have the shape {[heads, tokens, tokens]}, not {list(terms.shape)}")
    masked = terms <= MASKING_BIAS
    if masked.any():
        allowed = ~masked if allowed is None else allowed & ~masked
        _check_rows(f"bias, which masks at {MASKING_BIAS:g} or less, and mask", allowed)
    if allowed is not None:
        terms = np.where(allowed, terms, 0)
    check_values("bias", terms)
    return (None if masked.any() and not terms.any() else terms), allowed


def _expand_mask(mask: object, heads: int, tokens: int) -> NDArray[np.bool_]:
    allowed = np.asarray(mask)
    if allowed.dtype != np.bool_:
        raise InputError(f"mask must be an array of bool, not of {allowed.dtype}")
    if allowed.shape not in ((tokens,), (tokens, tokens), (heads, tokens, tokens)):
        raise InputError(
            f"mask must have the shape [{tokens}] or [{heads}, {tokens}, {tokens}], not {list(allowed.shape)}"
        )
    allowed = np.broadcast_to(allowed, (heads, tokens, tokens))
    _check_rows("mask", allowed)
    return allowed


def _check_rows(name: str, allowed: NDArray[np.bool_]) -> None:
    empty = np.argwhere(~allowed.any(axis=-1))
    if len(empty):
        head, row = empty[0]
        raise InputError(f"{name} must allow at least one key in each row, none in head {head}, row {row}")


def without_unattended(values: NDArray[Float], allowed: NDArray[np.bool_] | None) -> NDArray[Float]:
    """Keys or values, zero where no row may attend them: whatever they hold, they take no part.

    Args:
        values: [..., tokens, d].
        allowed: broadcastable to [..., tokens, tokens], or None for all.
    """
    if allowed is None:
        return values
    attended = np.expand_dims(allowed.any(axis=-2), -1)
    return np.where(attended, values, 0)
