"""Trace-driven product of two one-spike tensors, in closed form.

Source: SpikedAttention (NeurIPS 2024), section 3.2. The time-stepped procedure of the paper
accumulates, when the later of two neurons fires, the frozen trace of the earlier one weighted
with the current trace: B**-p * B**-p'. Here the product is one signed table entry at the sum of
the phases, so the sum over pairs is an exact integer, free of order. `golden.literal` keeps the
time-stepped procedure.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from golden.code import PhaseCode, Spikes


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
    # One matrix product per phase of the left operand, with the right operand replaced by table
    # entries. Floats hold the integers exactly below 2**24 (float32) and 2**53 (float64).
    length = left.shape[-1]
    dtype: type[np.floating] = np.float32 if length << code.trace_bits <= 1 << 24 else np.float64
    table: NDArray[Any] = np.append(code.trace, 0).astype(dtype)  # the last entry serves silent neurons
    silent = len(table) - 1
    right_phase = right.phase.astype(np.int64)
    total: NDArray[Any] | None = None
    for phase in range(code.steps if phases is None else phases):
        spikes = (left.sign * (left.phase == phase)).astype(dtype)
        if not spikes.any():
            continue
        index = np.where(right.sign != 0, right_phase + phase, silent)
        product = spikes @ (right.sign * table[index]).astype(dtype)
        total = product if total is None else total + product
    if total is None:
        return np.zeros(
            (*np.broadcast_shapes(left.shape[:-2], right.shape[:-2]), left.shape[-2], right.shape[-1]),
            np.int64,
        )
    return np.rint(total).astype(np.int64)


def transpose(spikes: Spikes) -> Spikes:
    """Swap the last two axes."""
    return Spikes(np.swapaxes(spikes.sign, -1, -2), np.swapaxes(spikes.phase, -1, -2))
