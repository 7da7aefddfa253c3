"""What a linear layer must not overwrite before another unit has read it: the row that it comes after."""

import numpy as np
from numpy.typing import NDArray

from golden.network.descriptors import Source, Target
from golden.network.layers import Linear, Norm, StreamLinear


def comes_after(
    layer: Linear, target: Target, source: Source, rows: int, norm: Norm | None, shared: bool
) -> NDArray[np.intp]:
    """The row of its source that must be there before each row of a layer, whatever the row reads itself.

    Args:
        source: of the layer, and the `rows` of that.
        norm: the last one.
        shared: the stream has one copy (`NetworkConfig.shared`).

    Returns:
        [rows of the layer]: the first row of the source where nothing is overwritten that is still read.
    """
    made = rows if layer.gather is None else len(layer.gather)
    everything = np.full(made, rows - 1)
    if isinstance(layer, StreamLinear) and source is Source.norm:
        assert norm is not None
        if shared and not layer.fresh:
            # of one copy of the stream, sums and norm read in turn
            return everything
        return last_reads(np.arange(rows)[:, None] if norm.gather is None else norm.gather, made)
    if source is Source.mixed and target is Target.qkv and layer.gather is not None:
        return everything
    return np.zeros(made, np.intp)


def last_reads(gather: NDArray[np.int64], rows: int) -> NDArray[np.intp]:
    """[rows]: the last row that is made of each row by index, the first one where none is.

    Args:
        gather: [made, taps], -1 for none.
    """
    last = np.zeros(rows, np.intp)
    for made, taps in enumerate(gather):
        last[taps[(taps >= 0) & (taps < rows)]] = made
    return last
