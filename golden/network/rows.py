"""Rows by index: what a layer reads for each of its rows.

One mechanism is patch merging, a stem of convolutions, a class token (a row without a source), pooling of
the first token, and windows of a picture, shifted or not.
"""

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


def gathered(spikes: Spikes, gather: Gather | None, steps: int) -> Spikes:
    """Spikes [..., rows, taps*width] of [..., rows of the source, width]; -1 in the map is silence.

    Args:
        steps: T, the phase of a silent neuron.
    """
    if gather is None:
        return spikes

    def take(array: NDArray[np.int8], silent: int) -> NDArray[np.int8]:
        nothing = np.full_like(array[..., :1, :], silent)
        # a row of silence after the last one, which -1 names
        found = np.concatenate([array, nothing], axis=-2)[..., gather, :]
        return found.reshape(*array.shape[:-2], gather.shape[0], -1)

    return Spikes(take(spikes.sign, 0), take(spikes.phase, steps))
