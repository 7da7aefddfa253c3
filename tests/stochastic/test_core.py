import random

import numpy as np
import pytest

from golden.stochastic.attention import compute, prepare, rate_units
from golden.stochastic.config import StochasticConfig
from golden.stochastic.plan import SCORE_SHARINGS, RandomPlan
from hw.stochastic.core import StochasticAttention, StochasticRateAttention
from tests.stochastic.pysim import columns_of, run_engine, unpack

SHAPES = [(8, 8, 8), (7, 5, 7), (5, 6, 2), (6, 3, 1), (9, 10, 4), (1, 1, 1), (3, 1, 2), (4, 2, 4), (2, 1, 2)]


def trains(config, steps, heads, seed=0):
    rng = np.random.default_rng(seed)
    return rng.random((3, steps, heads, config.tokens, config.head_dim)) < 0.7


def outputs_of(job):
    return job.heads * job.steps * job.config.groups * job.config.head_dim


@pytest.mark.parametrize(("tokens", "head_dim", "rows"), SHAPES)
@pytest.mark.parametrize("pauses", [(0, 0), (0.5, 0), (0, 0.5), (0.3, 0.9), (0.9, 0.3)])
def test_spike_for_spike(tokens, head_dim, rows, pauses):
    config = StochasticConfig(tokens=tokens, head_dim=head_dim, rows=rows)
    job = prepare(*trains(config, 4, 2), config)
    rng = random.Random(f"{tokens} {head_dim} {rows} {pauses}")
    received, accepted, _, scores = run_engine(
        StochasticAttention(config, taps=True),
        columns_of(job.q, job.k, job.v, config),
        outputs_of(job),
        lambda: rng.random() < pauses[0],
        lambda: rng.random() < pauses[1],
    )
    expected = compute(job)
    np.testing.assert_array_equal(unpack(received, job), expected.out)
    assert len(accepted) == outputs_of(job)
    padded = np.zeros((4, 2, config.groups * rows, tokens), dtype=bool)
    padded[:, :, :tokens] = expected.score
    slots = padded.swapaxes(0, 1).reshape(-1, rows * tokens)
    assert scores == [sum(int(s) << n for n, s in enumerate(slot)) for slot in slots]


@pytest.mark.parametrize("score", SCORE_SHARINGS)
@pytest.mark.parametrize("lane", ["lane", "serial", "broadcast"])
def test_plans(score, lane):
    plan = RandomPlan(score=score, output=lane, encoder=lane, width=30, draw_bits=12, leap=9, seed=321)
    config = StochasticConfig(tokens=6, head_dim=5, rows=4, plan=plan, rate_bits=6)
    rates = np.random.default_rng(1).uniform(size=(3, 2, 6, 5))
    job = prepare(*rates, config, steps=3)
    spread = [np.broadcast_to(rate_units(r, 6), (3, 2, 6, 5)) for r in rates]
    dut = StochasticRateAttention(config)
    received, *_ = run_engine(
        dut,
        columns_of(*spread, config),
        outputs_of(job),
        payload=lambda q, k, v: {"q": q.tolist(), "k": k.tolist(), "v": v.tolist()},
    )
    np.testing.assert_array_equal(unpack(received, job), compute(job).out)


@pytest.mark.parametrize("mask", ["diagonal", "causal"])
@pytest.mark.parametrize("rows", [5, 2])
def test_masks(mask, rows):
    config = StochasticConfig(tokens=5, head_dim=4, rows=rows, mask=mask)
    job = prepare(*trains(config, 6, 1), config)
    received, *_ = run_engine(
        StochasticAttention(config), columns_of(job.q, job.k, job.v, config), outputs_of(job)
    )
    np.testing.assert_array_equal(unpack(received, job), compute(job).out)


@pytest.mark.parametrize(("tokens", "head_dim", "rows"), SHAPES)
@pytest.mark.parametrize(("steps", "heads"), [(1, 1), (5, 1), (2, 3)])
def test_cycles(tokens, head_dim, rows, steps, heads):
    config = StochasticConfig(tokens=tokens, head_dim=head_dim, rows=rows)
    job = prepare(*trains(config, steps, heads), config)
    dut = StochasticAttention(config)
    _, accepted, emitted, _ = run_engine(dut, columns_of(job.q, job.k, job.v, config), outputs_of(job))
    slots = steps * heads * config.groups
    assert accepted == list(range(accepted[0], accepted[0] + slots * head_dim))
    assert emitted[-1] - accepted[0] + 1 == (slots + 1) * head_dim + dut.latency
    assert emitted == list(range(emitted[0], emitted[0] + slots * head_dim))
