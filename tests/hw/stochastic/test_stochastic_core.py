"""The engine spike for spike and cycle for cycle, compiled by Verilator."""

import dataclasses

import numpy as np
import pytest
from amaranth.back import rtlil

from golden.stochastic.attention import compute, prepare
from golden.stochastic.config import MAX_SIZE, StochasticConfig
from golden.stochastic.plan import LANE_SHARINGS, SCORE_SHARINGS, RandomPlan
from hw.stochastic.core import StochasticAttention
from hw.stochastic.row import adder_stages
from sim.cores.rtl import compiled
from sim.cores.stochastic.beats import job_beats, output_beats
from sim.cores.stochastic.core import StochasticCore
from sim.timing.stochastic import output_latency, predict, replay
from tests.hw.stochastic.paused import offered, ready

# Tokens, features, rows, encoders, mask, sharing of the scores' draws, of the outputs' and the encoders':
# full arrays, row groups with an incomplete last one, a single everything; the adder has two stages from
# 9 tokens on
ENGINES = [
    (7, 5, 7, False, "none", "row", "serial"),
    (3, 4, 3, False, "diagonal", "unit", "lane"),
    (3, 3, 2, False, "causal", "array", "lane"),
    (3, 3, 2, True, "diagonal", "row", "broadcast"),
    (2, 2, 2, False, "none", "row-broadcast", "lane"),
    (2, 1, 1, False, "none", "row", "lane"),
    (2, 1, 1, True, "none", "column-broadcast", "lane"),
    (1, 1, 1, False, "none", "unit", "lane"),
    (9, 10, 4, False, "none", "row", "lane"),
    (9, 10, 4, True, "none", "unit", "serial"),
    (9, 6, 9, False, "causal", "row-broadcast", "lane"),
]
PAUSES = [
    *({}, {"i": 0.3}, {"o": 0.3}, {"i": 0.3, "o": 0.8}, {"i": 0.7, "o": 0.5}, {"i": 0.5}, {"o": 0.5}),
    *({"i": 0.3, "o": 0.9}, {"i": 0.9, "o": 0.3}, {"i": 0.05, "o": 0.05}),
]


def config_of(tokens, head_dim, rows, encoders, mask, score, lane):
    plan = RandomPlan(score=score, output=lane, encoder=lane, width=30, draw_bits=12, leap=9, seed=321)
    sizes = {"tokens": tokens, "head_dim": head_dim, "rows": rows}
    return StochasticConfig(**sizes, plan=plan, mask=mask, rate_bits=6, encoders=encoders)


def job_of(config, steps, heads, seed=0):
    """Rates where the engine has encoders, trains elsewhere."""
    rng = np.random.default_rng(seed)
    if config.encoders:
        return prepare(*rng.uniform(size=(3, heads, config.tokens, config.head_dim)), config, steps=steps)
    return prepare(*(rng.random((3, steps, heads, config.tokens, config.head_dim)) < 0.7), config)


def beats_of(job, seed):
    """Input columns; keys and values beside row group 0 are garbage, which the engine must not read, and so
    are queries of rows past the last token."""
    beats = job_beats(job)
    group = np.arange(len(beats["q"])) // job.config.head_dim % job.config.groups
    rng = np.random.default_rng(seed)
    for name in ("k", "v"):
        beats[name][group > 0] = rng.integers(0, 2, size=beats[name][group > 0].shape)
    past = group[:, None] * job.config.rows + np.arange(job.config.rows) >= job.config.tokens
    beats["q"][past] = rng.integers(0, 2, size=past.sum())
    return beats


def run(job, **how):
    """A run whose every spike is golden's."""
    core = StochasticCore(job.config).tapped()
    ran = core.run(job, quick=True, **how)
    assert core.compare(job, vars(ran.integers)).first_difference is None
    return ran


def test_engines_have_every_sharing():
    scores, lanes = zip(*(engine[-2:] for engine in ENGINES), strict=True)
    coders = [engine[-1] for engine in ENGINES if engine[3]]
    assert set(scores) == set(SCORE_SHARINGS)
    assert set(lanes) == set(coders) == set(LANE_SHARINGS)


@pytest.mark.parametrize("shape", ENGINES)
def test_spikes_and_cycles(shape):
    config = config_of(*shape)
    for steps, heads in ((1, 1), (6, 1), (2, 3)):
        job = job_of(config, steps, heads)
        ran = run(job)
        result = ran.result
        columns = steps * heads * config.groups * config.head_dim
        assert ran.cycles == predict(job)
        latency = config.encoders + output_latency(config) + 1
        assert result.cycles == columns + config.head_dim + latency
        np.testing.assert_array_equal(result.accepted["i"], np.arange(columns))


@pytest.mark.parametrize("shape", ENGINES)
def test_reset_in_the_middle(shape):
    """A reset in any phase of a head leaves nothing behind, and all numbers begin anew."""
    config = config_of(*shape)
    for seed in range(60):
        job = job_of(config, 2, 1, seed)
        run(job, reset_at=1 + seed % (predict(job).total - 1))


@pytest.mark.parametrize("shape", ENGINES)
def test_many_draws(shape):
    """As many as it takes for every bit of a number to decide some of them."""
    run(job_of(config_of(*shape), 16, 200))


@pytest.mark.parametrize("pauses", PAUSES, ids=str)
@pytest.mark.parametrize("shape", ENGINES)
def test_pauses_change_no_spike(shape, pauses):
    config = config_of(*shape)
    job = job_of(config, 4, 3)
    core = StochasticCore(config).tapped()
    count = core.output_beats(job)["o"]
    for seed in range(3 if pauses else 1):
        inputs = {"i": beats_of(job, seed)}
        result = compiled(core, quick=True).run(inputs, core.output_beats(job), pauses=pauses, seed=seed)
        # rows past the last token too, which no job shows
        for name, expected in output_beats(compute(job), config).items():
            np.testing.assert_array_equal(result[name], expected)
        waits = offered(seed, pauses.get("i", 0.0), count)
        predicted = replay(config, waits, ready(seed, pauses.get("o", 0.0), result.cycles))
        np.testing.assert_array_equal(result.accepted["i"], predicted.accepted)
        np.testing.assert_array_equal(result.outputs["o"].cycles, predicted.delivered)


@pytest.mark.parametrize("shape", [engine for engine in ENGINES if engine[4] != "none"])
def test_a_mask_changes_scores(shape):
    """So that the tests above see it."""
    job = job_of(config_of(*shape), 4, 3)
    unmasked = dataclasses.replace(job, config=dataclasses.replace(job.config, mask="none"))
    assert (compute(job).score != compute(unmasked).score).any()


def test_generators_run_on_from_job_to_job():
    config = config_of(9, 10, 4, False, "none", "row", "lane")
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
    config = config_of(9, 10, 4, False, "none", "row", "lane")
    job = job_of(config, 3, 2)
    run(job, reset_at=reset_at, pauses=0.2, seed=reset_at)


def test_encoders():
    config = config_of(9, 10, 4, True, "none", "unit", "serial")
    rates = np.random.default_rng(1).uniform(size=(3, 2, 9, 10))
    rates[:, :, :2] = [[[0.0], [1.0]]]
    coded = prepare(*rates, config, steps=3)
    for job in (coded, dataclasses.replace(coded, rates=None)):  # a train is a rate of 0 or 1
        for pauses in (0.0, 0.4):
            ran = run(job, pauses=pauses)
            if not pauses:
                assert ran.cycles == predict(job)


def test_full_rate_through_the_deepest_adder():
    config = StochasticConfig(tokens=130, head_dim=1, rows=1)
    job = job_of(config, 1, 1)
    ran = run(job)
    result = ran.result
    np.testing.assert_array_equal(result.accepted["i"], np.arange(130))
    latency = output_latency(config) + 1
    np.testing.assert_array_equal(result.outputs["o"].cycles, np.arange(latency + 1, latency + 131))
    assert ran.cycles == predict(job)


@pytest.mark.parametrize("score", SCORE_SHARINGS)
def test_no_multiplier(score):
    # Sizes that are no power of two scale their draws by a constant: shifts and additions only
    plan = RandomPlan(score=score, output="serial", encoder="serial", width=36)
    config = StochasticConfig(tokens=7, head_dim=5, rows=3, plan=plan, encoders=True)
    engine = StochasticAttention(config)
    netlist = rtlil.convert(engine)
    assert "$add" in netlist
    assert "$mul" not in netlist
    assert engine.latency == output_latency(config) + 2


def test_adder_is_as_deep_as_the_cycle_model_says():
    for tokens in range(1, MAX_SIZE + 1):
        config = StochasticConfig(tokens=tokens, head_dim=1, rows=1)
        assert adder_stages(tokens) == output_latency(config) - 3
