"""Rows by index: what a layer reads for each of its rows.

One mechanism is patch merging, a stem of convolutions, a class token (a row without a source), pooling of
the first token, and windows of a picture, shifted or not.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from golden.code import Spikes
from golden.errors import InputError
from golden.network.checks import check_integers
from golden.network.limits import MAX_TOKENS

Gather = NDArray[np.int64]


def check_gather(name: str, gather: Gather | None, rows: int) -> tuple[int, int]:
    """(rows, taps) that a map makes of `rows` rows, or InputError if it names a row that is not there."""
    if gather is None:
        return rows, 1
    if gather.ndim != 2 or not 1 <= gather.shape[0] <= MAX_TOKENS or not gather.shape[1]:
        raise InputError(f"{name}.gather must be [1..{MAX_TOKENS} rows, taps], not {list(gather.shape)}")
    check_integers(f"{name}.gather", gather, [gather.shape], rows - 1, -1)
    return gather.shape[0], gather.shape[1]


def gathered_rows(array: NDArray[Any], gather: Gather, nothing: int) -> NDArray[Any]:
    """[..., rows, taps*width] of an array [..., rows of the source, width]; -1 in the map gives `nothing`."""
    # a row of nothing after the last one, which -1 names
    ends = np.full_like(array[..., :1, :], nothing)
    found = np.concatenate([array, ends], axis=-2)[..., gather, :]
    return found.reshape(*array.shape[:-2], gather.shape[0], -1)


def gathered(spikes: Spikes, gather: Gather | None, steps: int) -> Spikes:
    """The same of spikes, silent where there are none; `steps` is T, the phase of a silent neuron."""
    if gather is None:
        return spikes
    return Spikes(gathered_rows(spikes.sign, gather, 0), gathered_rows(spikes.phase, gather, steps))


def present_rows(present: NDArray[np.bool_] | None, gather: Gather | None) -> NDArray[np.bool_] | None:
    """Rows [images, rows] of a layer that are computed: all of whose sources are; None for all.

    Args:
        present: rows of the source that are.
    """
    if present is None or gather is None:
        return present
    found = np.concatenate([present, np.ones_like(present[:, :1])], axis=1)[:, gather]
    return np.asarray(found.all(axis=-1))
