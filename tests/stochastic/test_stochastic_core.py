"""The engine spike for spike and cycle for cycle, compiled by Verilator."""

import dataclasses

import numpy as np
import pytest

from golden.stochastic.attention import prepare
from golden.stochastic.config import StochasticConfig
from golden.stochastic.plan import RandomPlan
from sim.cores.rtl import compiled
from sim.cores.stochastic.beats import input_beats
from sim.cores.stochastic.core import StochasticCore
from sim.timing.stochastic import output_latency, predict, replay

# A full array, row groups with an incomplete last one, a single everything
SHAPES = [(7, 5, 7), (9, 10, 4), (1, 1, 1)]


def job_of(config, steps, heads, seed=0):
    rng = np.random.default_rng(seed)
    return prepare(*(rng.random((3, steps, heads, config.tokens, config.head_dim)) < 0.7), config)


def run(job, **how):
    """A run whose every spike is golden's."""
    core = StochasticCore(job.config).tapped()
    ran = core.run(job, quick=True, **how)
    assert core.compare(job, vars(ran.integers)).first_difference is None
    return ran


@pytest.mark.parametrize(("tokens", "head_dim", "rows"), SHAPES)
def test_spikes_and_cycles(tokens, head_dim, rows):
    config = StochasticConfig(tokens=tokens, head_dim=head_dim, rows=rows)
    for steps, heads in ((1, 1), (6, 1), (2, 3)):
        job = job_of(config, steps, heads)
        ran = run(job)
        result = ran.result
        slots = steps * heads * config.groups
        assert ran.cycles == predict(job)
        assert result.cycles == (slots + 1) * head_dim + output_latency(config) + 1
        np.testing.assert_array_equal(result.accepted["i"], np.arange(slots * head_dim))


@pytest.mark.parametrize(("tokens", "head_dim", "rows"), SHAPES)
@pytest.mark.parametrize(
    "pauses", [{"i": 0.5}, {"o": 0.5}, {"i": 0.3, "o": 0.9}, {"i": 0.9, "o": 0.3}, {"i": 0.05, "o": 0.05}]
)
def test_pauses_change_no_spike(tokens, head_dim, rows, pauses):
    config = StochasticConfig(tokens=tokens, head_dim=head_dim, rows=rows)
    job = job_of(config, 4, 3)
    for seed in range(10):
        result = run(job, pauses=pauses, seed=seed).result
        if "o" not in pauses:
            accepted = result.accepted["i"]
            predicted = replay(config, [int(n) for n in np.diff(accepted, prepend=-1) - 1], [])
            np.testing.assert_array_equal(accepted, predicted.accepted)
            np.testing.assert_array_equal(result.outputs["o"].cycles, predicted.delivered)


def test_generators_run_on_from_job_to_job():
    config = StochasticConfig(tokens=9, head_dim=10, rows=4)
    rates = np.random.default_rng(2).random((3, 2, 9, 10))
    jobs = [prepare(*rates, config, steps=3, first_head=first) for first in (0, 2)]
    core = StochasticCore(config).tapped()
    runs = core.run_in_turn(jobs, quick=True, pauses=0.2)
    for job, ran in zip(jobs, runs, strict=True):
        assert core.compare(job, vars(ran.integers)).first_difference is None
    assert (runs[0].integers.out != runs[1].integers.out).any()
    with pytest.raises(AssertionError, match="run on from reset"):
        core.run(jobs[1])


@pytest.mark.parametrize("reset_at", [0, 3, 11, 29, 40])
def test_reset_starts_over(reset_at):
    config = StochasticConfig(tokens=9, head_dim=10, rows=4)
    job = job_of(config, 3, 2)
    run(job, reset_at=reset_at, pauses=0.2, seed=reset_at)


def test_encoders():
    plan = RandomPlan(score="row", output="serial", seed=321)
    config = StochasticConfig(tokens=6, head_dim=5, rows=4, plan=plan, rate_bits=6, encoders=True)
    rates = np.random.default_rng(1).uniform(size=(3, 2, 6, 5))
    rates[:, :, :2] = [[[0.0], [1.0]]]
    coded = prepare(*rates, config, steps=3)
    for job in (coded, dataclasses.replace(coded, rates=None)):  # a train is a rate of 0 or 1
        for pauses in (0.0, 0.4):
            ran = run(job, pauses=pauses)
            if not pauses:
                assert ran.cycles == predict(job)
                slots = job.heads * job.steps * config.groups
                assert ran.result.cycles == (slots + 1) * 5 + output_latency(config) + 2


def test_keys_and_values_of_later_groups_are_not_read():
    config = StochasticConfig(tokens=9, head_dim=10, rows=4)
    job = job_of(config, 5, 1)
    beats = input_beats(job.q, job.k, job.v, config)
    later = np.arange(len(beats["q"])) // 10 % 3 > 0
    beats["k"][later] = beats["v"][later] = 1
    core = StochasticCore(config).tapped()
    result = compiled(core, quick=True).run({"i": beats}, core.output_beats(job), pauses=0.3)
    assert core.compare(job, core.shown(job, result)).first_difference is None
