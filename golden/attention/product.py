"""Trace-driven product of two one-spike tensors, in closed form.

Source: SpikedAttention (NeurIPS 2024), section 3.2. The time-stepped procedure of the paper
accumulates, when the later of two neurons fires, the frozen trace of the earlier one weighted
with the current trace: B**-p * B**-p'. Here the product is one signed table entry at the sum of
the phases, so the sum over pairs is an exact integer, free of order. `golden.attention.literal` keeps the
time-stepped procedure.
"""

from functools import lru_cache
from math import prod
from typing import Any

import numpy as np
from numpy.typing import DTypeLike, NDArray

from golden.code import PhaseCode, Spikes

# Floats of both operands that are expanded at a time: 1 MiB, about a second-level cache
BLOCK_FLOATS = 1 << 18


def trace_product(
    left: Spikes, right: Spikes, code: PhaseCode, phases: int | None = None
) -> NDArray[np.int64]:
    """P[..., i, j] = sum_l sgn(left[i,l]) * sgn(right[l,j]) * G[ph(left[i,l]) + ph(right[l,j])].

    Args:
        left: [..., I, L].
        right: [..., L, J].
        code: the code; phases of both are 0..T-1, T where silent.
        phases: number of phases that `left` can hold, T when absent.

    Returns:
        int64 [..., I, J], exact.
    """
    # Each spike of `left` becomes a signed one-hot vector over its phase p, each spike of `right`
    # the vector of its table entries over p; then P is a matrix product of length L*phases, taken
    # some phases at a time. All terms and partial sums are integers of magnitude at most L * 2**F,
    # which floats hold exactly up to 2**24 (float32) or 2**53 (float64), in any order of summation.
    phases = code.steps if phases is None else phases
    rows, length = left.shape[-2:]
    columns = right.shape[-1]
    batch = np.broadcast_shapes(left.shape[:-2], right.shape[:-2])
    one_hot, traces = _expansions(code, phases, np.float32 if length << code.trace_bits <= 1 << 24 else float)
    left_index = np.broadcast_to(_index(left), (*batch, rows, length)).reshape(-1, rows, length)
    right_index = _index(transpose(right))
    right_index = np.broadcast_to(right_index, (*batch, columns, length)).reshape(-1, columns, length)

    count = prod(batch)
    product = np.empty((count, rows, columns), np.int64)
    phases_at_once = min(phases, max(1, BLOCK_FLOATS // ((rows + columns) * length)))
    at_once = max(1, BLOCK_FLOATS // ((rows + columns) * length * phases_at_once))
    for start in range(0, count, at_once):
        block = slice(start, start + at_once)
        total: NDArray[Any] | float = 0.0
        for phase in range(0, phases, phases_at_once):
            some = slice(phase, min(phase + phases_at_once, phases))
            long = length * (some.stop - some.start)
            spikes = one_hot[:, some].take(left_index[block], axis=0).reshape(-1, rows, long)
            partners = traces[:, some].take(right_index[block], axis=0).reshape(-1, columns, long)
            total = spikes @ partners.swapaxes(-1, -2) + total
        product[block] = total
    return product.reshape(*batch, rows, columns)


def transpose(spikes: Spikes) -> Spikes:
    """Swap the last two axes."""
    return Spikes(np.swapaxes(spikes.sign, -1, -2), np.swapaxes(spikes.phase, -1, -2))


def _index(spikes: Spikes) -> NDArray[np.intp]:
    """Row of each spike in the tables of `_expansions`: 3*phase + sign + 1."""
    index = np.multiply(spikes.phase, 3, dtype=np.intp)
    index += spikes.sign
    index += 1
    return index


@lru_cache(maxsize=16)
def _expansions(code: PhaseCode, phases: int, dtype: DTypeLike) -> tuple[NDArray[Any], NDArray[Any]]:
    """Vectors that stand for a spike of the left and of the right operand, [3*(T+1), phases]."""
    phase = np.repeat(np.arange(code.steps + 1), 3)[:, None]
    sign = np.tile([-1, 0, 1], code.steps + 1)[:, None]
    partner = np.arange(phases)
    one_hot = (sign * (phase == partner)).astype(dtype)
    traces = (sign * code.trace[np.minimum(phase + partner, len(code.trace) - 1)]).astype(dtype)
    for table in (one_hot, traces):
        table.flags.writeable = False
    return one_hot, traces
