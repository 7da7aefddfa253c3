"""Exact softmax attention in float64: the reference that spikes approximate."""

import numpy as np
from numpy.typing import NDArray

from golden.inputs import without_unattended


def softmax_attention(
    q: NDArray[np.floating],
    k: NDArray[np.floating],
    v: NDArray[np.floating],
    bias: NDArray[np.floating] | None = None,
    allowed: NDArray[np.bool_] | None = None,
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """softmax(q k^T / sqrt(d) + bias) v.

    Args:
        q, k, v: [..., tokens, head_dim].
        bias: added to the logits, broadcastable to [..., tokens, tokens].
        allowed: True where a key may be attended, broadcastable likewise; what the others hold takes no
            part.

    Returns:
        (output [..., tokens, head_dim], attention map [..., tokens, tokens]), float64.
    """
    q64, k64, v64 = (np.asarray(x, dtype=np.float64) for x in (q, k, v))
    k64, v64 = (without_unattended(x, allowed) for x in (k64, v64))
    logits = q64 @ np.swapaxes(k64, -1, -2) / np.sqrt(q64.shape[-1])
    if bias is not None:
        logits = logits + bias
    if allowed is not None:
        logits = np.where(allowed, logits, -np.inf)
    weights = np.exp(logits - logits.max(axis=-1, keepdims=True))
    weights /= weights.sum(axis=-1, keepdims=True)
    return weights @ v64, weights
