"""Throughput: the cycle model's steady heads, and accumulations counted one by one."""

import numpy as np
import pytest

from golden.attention.config import preset
from golden.attention.job import compute, prepare
from sim.cores.attention.core import SpikedAttentionCore
from sim.timing.attention import predict
from studies.boards.throughput import HEADS, head_throughput
from studies.data.random import random_heads


@pytest.mark.parametrize("name", ["pico", "tiny", "digits"])
def test_throughput(name: str) -> None:
    config = preset(name)
    done = head_throughput(SpikedAttentionCore(config), 50.0, seed=3)
    heads = random_heads(HEADS, config.tokens, config.head_dim, 3)
    job = prepare(heads["q"], heads["k"], heads["v"], config.code).job
    ends = predict(job, config).heads
    cycles = (ends[-1] - ends[0]) / (HEADS - 1)
    assert done["cycles_per_head"] == pytest.approx(cycles, abs=0.05)
    assert done["heads_per_second"] == pytest.approx(50e6 / cycles, abs=0.05)
    # Score: both spikes there; context: the key fires and its value is there; normaliser: the key fires
    q, k, v = (spikes.sign != 0 for spikes in (job.q, job.k, job.v))
    fires = compute(job).attn_phase >= 0
    count = np.einsum("hil,hjl->", q.astype(int), k.astype(int))
    count += np.einsum("hij,hjl->", fires.astype(int), v.astype(int)) + fires.sum()
    expected = count / HEADS * 50e6 / cycles
    assert done["accumulations_per_second"] == pytest.approx(expected, rel=1e-6)
