"""Random heads that look like those of trained layers, for examples and measurements."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

LOGIT_DEVIATION = 2.0
TOKENS_PER_TOPIC = 4


def random_heads(heads: int, tokens: int, head_dim: int, seed: int) -> dict[str, NDArray[Any]]:
    """q, k and v of tokens that share a few topics and attend within their topic.

    The logits have a standard deviation of 2, so a row attends to some keys and not to others.

    Args:
        heads, tokens, head_dim: sizes, at least 1.
        seed: not negative.

    Returns:
        q, k, v: float32 [heads, tokens, head_dim] each.
    """
    rng = np.random.default_rng(seed)
    topics = rng.standard_normal((heads, -(-tokens // TOKENS_PER_TOPIC), head_dim))
    shared = topics[:, rng.integers(topics.shape[1], size=tokens)]
    q, k, v = (shared + 0.7 * rng.standard_normal(shared.shape) for _ in range(3))
    logits = q @ k.swapaxes(-1, -2) / np.sqrt(head_dim)
    gain = np.sqrt(LOGIT_DEVIATION / max(float(logits.std()), 1e-3))
    return {name: array.astype(np.float32) for name, array in (("q", gain * q), ("k", gain * k), ("v", v))}


def random_rates(heads: int, tokens: int, head_dim: int, seed: int) -> dict[str, NDArray[Any]]:
    """q, k and v as independent rates, uniform in 0..1; input that both schemes take.

    Returns:
        q, k, v: float32 [heads, tokens, head_dim] each.
    """
    rng = np.random.default_rng(seed)
    return dict(zip("qkv", rng.random((3, heads, tokens, head_dim), dtype=np.float32), strict=True))
