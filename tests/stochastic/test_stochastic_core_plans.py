"""The engine under every plan, mask and pattern of pauses, in Amaranth's simulator."""

import dataclasses
import random
import re

import numpy as np
import pytest

from golden.stochastic.attention import compute, prepare
from golden.stochastic.config import StochasticConfig
from golden.stochastic.plan import SCORE_SHARINGS, RandomPlan
from hw.export.verilog import export
from hw.stochastic.core import StochasticAttention
from sim.timing.stochastic import replay
from tests.stochastic.stochastic_pysim import columns_of, run_engine, unpack


def job_of(config, steps, heads):
    rng = np.random.default_rng(0)
    return prepare(*(rng.random((3, steps, heads, config.tokens, config.head_dim)) < 0.7), config)


def outputs_of(job):
    return job.heads * job.steps * job.config.groups * job.config.head_dim


SHARINGS = [(score, "lane") for score in SCORE_SHARINGS] + [("unit", "serial"), ("row", "broadcast")]


@pytest.mark.parametrize(("score", "lane"), SHARINGS)
def test_plans(score, lane):
    plan = RandomPlan(score=score, output=lane, encoder=lane, width=30, draw_bits=12, leap=9, seed=321)
    config = StochasticConfig(tokens=5, head_dim=3, rows=2, plan=plan, rate_bits=6, encoders=True)
    rates = np.random.default_rng(1).uniform(size=(3, 1, 5, 3))
    job = prepare(*rates, config, steps=3)
    spread = [np.broadcast_to(units, (3, 1, 5, 3)) for units in job.rates]
    received, *_ = run_engine(StochasticAttention(config), columns_of(*spread, config), outputs_of(job))
    np.testing.assert_array_equal(unpack(received, job), compute(job).out)


@pytest.mark.parametrize("mask", ["diagonal", "causal"])
@pytest.mark.parametrize("rows", [4, 3])
def test_masks(mask, rows):
    config = StochasticConfig(tokens=4, head_dim=2, rows=rows, mask=mask)
    job = job_of(config, 6, 1)
    received, *_ = run_engine(
        StochasticAttention(config), columns_of(job.q, job.k, job.v, config), outputs_of(job)
    )
    np.testing.assert_array_equal(unpack(received, job), compute(job).out)
    unmasked = dataclasses.replace(config, mask="none")
    assert (compute(job).score != compute(dataclasses.replace(job, config=unmasked)).score).any()


# Tokens, features, rows, encoders; the adder has two stages from 9 tokens on
ENGINES = [
    (3, 4, 3, False),
    (3, 3, 2, False),
    (3, 3, 2, True),
    (2, 2, 2, False),
    (2, 1, 1, False),
    (2, 1, 1, True),
    (9, 10, 4, False),
    (9, 10, 4, True),
    (9, 6, 9, False),
]


@pytest.mark.parametrize(("tokens", "head_dim", "rows", "encoders"), ENGINES)
@pytest.mark.parametrize("pauses", [(0.0, 0.0), (0.3, 0.0), (0.0, 0.3), (0.3, 0.8), (0.7, 0.5)])
def test_cycles_with_pauses(tokens, head_dim, rows, encoders, pauses):
    config = StochasticConfig(tokens=tokens, head_dim=head_dim, rows=rows, encoders=encoders)
    job = job_of(config, 3 if rows == 4 else 8, 2)
    rng = random.Random(f"{tokens} {head_dim} {rows} {pauses}")
    count = outputs_of(job)
    gaps = [0 if rng.random() >= pauses[0] else rng.randrange(1, 9) for _ in range(count)]
    ready = [rng.random() >= pauses[1] for _ in range(20 * count)]
    dut = StochasticAttention(config)
    # To encoders a train is a rate of 0 or 1
    one = 1 << config.rate_bits if encoders else 1
    received, accepted, delivered = run_engine(
        dut, columns_of(one * job.q, one * job.k, one * job.v, config), count, gaps, ready
    )
    np.testing.assert_array_equal(unpack(received, job), compute(job).out)
    predicted = replay(config, gaps, ready)
    np.testing.assert_array_equal(accepted, predicted.accepted)
    np.testing.assert_array_equal(delivered, predicted.delivered)
    if not any(pauses):
        assert delivered[-1] - accepted[0] + 1 == count + head_dim + dut.latency


@pytest.mark.parametrize("score", SCORE_SHARINGS)
def test_no_multiplier(score):
    # Sizes that are no power of two scale their draws by a constant: shifts and additions only
    plan = RandomPlan(score=score, output="serial", encoder="serial", width=36)
    config = StochasticConfig(tokens=7, head_dim=5, rows=3, plan=plan, encoders=True)
    verilog, _ = export(StochasticAttention(config), "engine")
    logic = re.sub(r"\(\*.*?\*\)|/\*.*?\*/|//[^\n]*", "", verilog, flags=re.DOTALL)
    # always @* is the one other use of the sign
    assert "*" not in logic.replace("@*", "")


def test_full_rate_through_the_deepest_adder():
    config = StochasticConfig(tokens=130, head_dim=1, rows=1)
    job = job_of(config, 1, 1)
    dut = StochasticAttention(config)
    received, accepted, delivered = run_engine(dut, columns_of(job.q, job.k, job.v, config), outputs_of(job))
    np.testing.assert_array_equal(unpack(received, job), compute(job).out)
    assert accepted == list(range(130))
    assert delivered == list(range(dut.latency + 1, dut.latency + 131))
    predicted = replay(config, [0] * 130, [])
    np.testing.assert_array_equal(delivered, predicted.delivered)
