"""Cores and workloads that the tests of the attention core share; each seed gives the same case."""

from fractions import Fraction
from typing import Any

import numpy as np

from golden.attention.config import CoreConfig
from golden.attention.job import AttentionJob, prepare
from golden.code import PhaseCode

T8 = PhaseCode(steps=8, log2_base=Fraction(3, 4), trace_bits=10)
T24 = PhaseCode(steps=24, log2_base=Fraction(2, 7))
T40 = PhaseCode(steps=40, log2_base=Fraction(1, 5))

# Every code of the presets, one to sixteen tokens per lane, every output form, both stores of the trace and
# of scores, with and without terms, clusters of one, of all lanes, and of sizes that are no power of two
CORES: dict[str, CoreConfig] = {
    "two-clusters": CoreConfig(lanes=8, tokens=8, head_dim=16, cluster=4, terms_per_beat=2),
    "two-groups": CoreConfig(lanes=4, tokens=8, head_dim=9, cluster=2, terms_per_beat=1),
    "four-groups": CoreConfig(
        code=T8, lanes=3, tokens=12, head_dim=8, cluster=3, terms_per_beat=3, output="codes"
    ),
    "long-window": CoreConfig(code=T40, lanes=6, tokens=6, head_dim=12, cluster=3, terms_per_beat=1),
    "three-groups": CoreConfig(
        code=T24, lanes=5, tokens=13, head_dim=20, cluster=5, terms_per_beat=1, mask=False, output="context"
    ),
    "no-terms": CoreConfig(
        code=T8,
        lanes=8,
        tokens=8,
        head_dim=24,
        cluster=4,
        bias=False,
        mask=False,
        output="codes",
        score_store="memory",
        queued_heads=1,
    ),
    "mask-only": CoreConfig(lanes=4, tokens=7, head_dim=6, cluster=2, terms_per_beat=2, bias=False),
    "one-lane": CoreConfig(lanes=1, tokens=3, head_dim=4, cluster=1, terms_per_beat=1),
    "sixteen-groups": CoreConfig(
        lanes=1, tokens=16, head_dim=4, cluster=1, terms_per_beat=1, trace_store="logic"
    ),
    "eleven-groups": CoreConfig(
        code=T8,
        lanes=3,
        tokens=33,
        head_dim=2,
        cluster=1,
        terms_per_beat=1,
        trace_store="logic",
        mask=False,
        score_store="memory",
        queued_heads=1,
    ),
    "one-step": CoreConfig(
        code=PhaseCode(steps=1, log2_base=Fraction(1)),
        lanes=2,
        tokens=2,
        head_dim=2,
        cluster=1,
        terms_per_beat=1,
    ),
    "one-token": CoreConfig(lanes=1, tokens=1, head_dim=1, cluster=1, terms_per_beat=1, mask=False),
}


def terms(
    rng: np.random.Generator, config: CoreConfig, heads: int, tokens: int, features: int
) -> dict[str, Any]:
    """Arguments for bias and mask that fit the core, each present half of the time."""
    found: dict[str, Any] = {}
    shape = (heads, tokens, tokens)
    if config.bias and rng.random() < 0.5:
        # a hundredth of what the features can reach stays inside the score for any scale used here
        found["bias"] = rng.uniform(-0.02, 0.02, shape) * features
    if config.mask and rng.random() < 0.5:
        allowed = rng.random(shape) < rng.uniform(0.2, 1)
        allowed[..., rng.integers(tokens)] = True
        found["mask"] = allowed
    return found


def random_job(seed: int, config: CoreConfig) -> AttentionJob:
    """Heads of random size and density, with random terms, window and scales."""
    rng = np.random.default_rng(seed)
    heads = int(rng.integers(1, 5))
    tokens = int(rng.integers(1, config.tokens + 1))
    features = int(rng.integers(1, config.head_dim + 1))
    return _job(rng, config, heads, tokens, features)


def full_job(seed: int, config: CoreConfig) -> AttentionJob:
    """Three heads that fill the core."""
    return _job(np.random.default_rng(seed), config, 3, config.tokens, config.head_dim)


def _job(
    rng: np.random.Generator, config: CoreConfig, heads: int, tokens: int, features: int
) -> AttentionJob:
    q, k, v = rng.standard_normal((3, heads, tokens, features))
    for values in (q, k, v):
        values *= rng.random(values.shape) < rng.uniform(0, 1.3)
    return prepare(
        q,
        k,
        v,
        config.code,
        window=int(rng.integers(1, config.code.steps + 1)),
        scale_q=rng.uniform(0.5, 4, heads),
        scale_k=rng.uniform(0.5, 4, heads),
        **terms(rng, config, heads, tokens, features),
    ).job
