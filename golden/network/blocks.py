"""Blocks of a norm's row: what a pass of streamed weights reads where the rest of its weights are zero.

A block is `NetworkConfig.block` neighbouring features; the last of a row may have fewer. The gain of a norm
is a diagonal, whose passes need the features of their own outputs.
"""

import numpy as np
from numpy.typing import NDArray

from golden.code import Spikes
from golden.network.descriptors import LinearOp
from golden.network.limits import MAX_LANES


def largest_block(lanes: int) -> int:
    """Features of a block where none is given: a power of two, at most the outputs of a pass."""
    return 1 << (min(lanes, MAX_LANES).bit_length() - 1)


def needed_blocks(weight: NDArray[np.integer], block: int) -> NDArray[np.intp] | None:
    """Blocks of the inputs in which weights [outputs, inputs] are not all zero, at least the first; None
    where all blocks are needed."""
    count = -(-weight.shape[1] // block)
    used = (weight != 0).any(axis=0)
    blocks = np.flatnonzero(np.pad(used, (0, count * block - len(used))).reshape(count, block).any(axis=1))
    return None if len(blocks) == count else blocks if len(blocks) else np.zeros(1, np.intp)


def of_blocks(weight: NDArray[np.integer], blocks: NDArray[np.intp], block: int) -> NDArray[np.integer]:
    """Weights [outputs, inputs] of these blocks alone, zeros for what the last one has not."""
    count = -(-weight.shape[1] // block)
    whole = np.pad(weight, ((0, 0), (0, count * block - weight.shape[1])))
    return whole.reshape(len(weight), count, block)[:, blocks].reshape(len(weight), -1)


def spikes_read(op: LinearOp, blocks: NDArray[np.int64], inputs: Spikes) -> NDArray[np.int64]:
    """Spikes of each row [..., rows] of the inputs [..., rows, features] of a layer that a descriptor reads.

    Args:
        blocks: of the taps of all lists (`golden.network.compiler.Program`).
    """
    fires = inputs.sign != 0
    if op.blocks:
        chosen = blocks[op.map + 1 : op.map + 1 + op.taps]
        features = np.arange(fires.shape[-1]) // op.width
        fires = fires & np.isin(features, chosen)
    return np.count_nonzero(fires, axis=-1)
