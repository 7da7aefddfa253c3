import json
from dataclasses import replace

import numpy as np
import pytest

from golden.errors import InputError
from golden.stochastic.attention import compute
from golden.stochastic.config import StochasticConfig
from golden.stochastic.plan import RandomPlan
from sim.cores.stochastic.beats import job_beats
from sim.timing.stochastic_activity import activity
from studies.attention.stochastic import attend


def rates(heads=2, tokens=3, head_dim=4):
    return dict(zip("qkv", np.random.default_rng(0).uniform(size=(3, heads, tokens, head_dim)), strict=True))


def test_engines_agree():
    arrays = rates(tokens=7, head_dim=5)
    golden = attend(arrays, steps=6, seed=3)
    model = attend(arrays, engine="model", steps=6, seed=3)
    hardware = attend(arrays, engine="rtl", steps=6, seed=3)
    for outcome in (model, hardware):
        for name, array in golden.arrays().items():
            np.testing.assert_array_equal(outcome.arrays()[name], array)
    assert golden.cycles is None
    assert model.cycles == hardware.cycles
    reports = [outcome.report() | {"engine": ""} for outcome in (model, hardware)]
    assert reports[0] == reports[1]
    json.dumps(reports)


def test_encoders_in_hardware():
    without = StochasticConfig(tokens=7, head_dim=5, rows=3, rate_bits=4)
    config = replace(without, encoders=True)
    arrays = rates(tokens=7, head_dim=5)
    golden, model, hardware, coded = (
        attend(arrays, engine=engine, config=chosen, steps=6)
        for engine, chosen in (("golden", without), ("model", config), ("rtl", config), ("rtl", without))
    )
    for outcome in (model, hardware):
        for name, array in golden.arrays().items():
            np.testing.assert_array_equal(outcome.arrays()[name], array)
    assert model.cycles == hardware.cycles
    assert hardware.cycles.total == coded.cycles.total + 1
    assert hardware.report()["configuration"]["encoders"] is True
    # The encoders get the rates, not their trains
    assert len(np.unique(job_beats(hardware.job)["q"])) == 17
    trains = attend({name: getattr(golden.job, name) for name in "qkv"}, engine="rtl", config=config)
    np.testing.assert_array_equal(trains.spikes.out, golden.spikes.out)


def test_trains_and_seed():
    arrays = {name: np.ones((5, 1, 3, 4)) for name in "qkv"}
    outcome = attend(arrays)
    assert outcome.job.steps == 5
    assert outcome.spikes.out.all()
    assert outcome.report()["error"]["rmse"] == 0
    first, second = (attend(rates(), seed=seed).spikes.out for seed in (1, 2))
    assert (first != second).any()
    assert attend(rates()).job.steps == 16
    masked = StochasticConfig(tokens=3, head_dim=4, rows=2, mask="diagonal")
    assert not attend(arrays, config=masked).spikes.score[..., [0, 1, 2], [0, 1, 2]].any()


def test_configuration():
    arrays, config = rates(), StochasticConfig(tokens=3, head_dim=4, rows=1, steps=7)
    outcome = attend(arrays, config=config, seed=5)
    assert outcome.job.steps == 7
    assert outcome.job.config.plan.seed == 5
    assert outcome.job.config.rows == 1
    with pytest.raises(InputError, match=r"q must end in the shape \[3, 4\], not \[5, 4\]"):
        attend(rates(tokens=5), config=config)


def test_events_by_counting_pairs():
    job = attend(rates(heads=1), steps=2).job
    spikes = compute(job)
    done = activity(job, spikes)
    score = output = 0
    for t, i, j, f in np.ndindex(2, 3, 3, 4):
        score += int(job.q[t, 0, i, f] and job.k[t, 0, j, f])
        output += int(spikes.score[t, 0, i, j] and job.v[t, 0, j, f])
    assert (done.events["score_coincidences"], done.events["output_coincidences"]) == (score, output)
    assert (done.events["score_draws"], done.events["output_draws"]) == (2 * 3 * 3, 2 * 3 * 4)
    # One head of two steps on the full array: 3*4 columns and the latency
    assert done.busy == {"score": 8, "output": 8}
    assert done.lane_utilisation == pytest.approx((score + output) / (2 * 9 * (12 + 5)))


def alike(shape):
    return dict.fromkeys("qkv", np.ones(shape))


SHORT = StochasticConfig(tokens=3, head_dim=4, rows=3, steps=7, plan=RandomPlan(width=20))
TRAINS = alike((9, 1, 3, 4))


@pytest.mark.parametrize(
    ("arrays", "options", "message"),
    [
        ({"q": 0}, {}, "input: must hold the arrays q, k and v; q is missing"),
        ({"x": np.ones(1)}, {}, "input: must hold the arrays q, k and v only, not x"),
        ({"q": np.ones(4)}, {}, "input: q must have 2, 3 or 4 dimensions and no empty one, not [4]"),
        ({}, {"steps": 0}, "steps must be an integer in 1..1024, not 0"),
        ({}, {"seed": 0}, "seed must be an integer in 1..4294967295, not 0"),
        ({}, {"seed": 0, "option": "--"}, "--seed must be an integer in 1..4294967295, not 0"),
        ({}, {"config": SHORT, "steps": 8}, "steps must be at most 7 for this engine, not 8"),
        ({}, {"config": SHORT, "seed": 1 << 20}, "seed must be an integer in 1..1048575, not 1048576"),
        (TRAINS, {"config": SHORT}, "input: steps must be at most 7 for this engine, not 9"),
        (TRAINS, {"steps": 8}, "steps must agree with the trains of input (9), not 8"),
        (alike((1, 257, 1)), {}, "input: tokens must be an integer in 1..256, not 257"),
        (alike((1, 1, 257)), {}, "input: head_dim must be an integer in 1..256, not 257"),
        (alike((1, 256, 256)), {"steps": 820}, "steps must be at most 819 for this engine, not 820"),
        (alike((1025, 1, 1, 1)), {}, "input: steps must be at most 1024 for this engine, not 1025"),
        ({}, {"engine": "x"}, "engine must be one of golden, model, rtl, board, not 'x'"),
        ({}, {"waves": "w.fst"}, "waves needs engine rtl, not golden, which has no signals to show"),
        ({"q": np.full((2, 3, 4), 2.0)}, {}, "input: q must hold rates in 0..1, not 2 at [0, 0, 0]"),
    ],
)
def test_bad_input(arrays, options, message):
    given = {name: a for name, a in (rates() | arrays).items() if not np.isscalar(a)}
    with pytest.raises(InputError) as error:
        attend(given, **options)
    assert str(error.value) == message
