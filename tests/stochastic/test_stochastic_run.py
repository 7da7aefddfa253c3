import json

import numpy as np
import pytest

from golden.errors import InputError
from sim.stochastic.run import attend


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
    assert {**model.report("x")} == {**hardware.report("x")}
    json.dumps(model.report("model"))


def test_trains_and_seed():
    arrays = {name: np.ones((5, 1, 3, 4)) for name in "qkv"}
    outcome = attend(arrays)
    assert outcome.job.steps == 5
    assert outcome.spikes.out.all()
    assert outcome.report("golden")["error"]["rmse"] == 0
    first, second = (attend(rates(), seed=seed).spikes.out for seed in (1, 2))
    assert (first != second).any()
    assert attend(rates()).job.steps == 16
    assert not attend(arrays, mask="diagonal").spikes.score[..., [0, 1, 2], [0, 1, 2]].any()


@pytest.mark.parametrize(
    ("arrays", "options", "message"),
    [
        ({"q": 0}, {}, "input must hold the arrays q, k and v; q is missing"),
        ({"x": np.ones(1)}, {}, "input must hold the arrays q, k and v only, not x"),
        ({"q": np.ones(4)}, {}, "q must have 2, 3 or 4 dimensions, not 1 (shape [4])"),
        ({}, {"steps": 0}, "StochasticConfig.steps must be an integer in 1..1024, not 0"),
        ({}, {"seed": 0}, "RandomPlan.seed must be an integer in 1..4294967295, not 0"),
        ({}, {"rows": 4}, "StochasticConfig.rows must be an integer in 1..3, not 4"),
        ({}, {"mask": "x"}, "StochasticConfig.mask must be one of none, diagonal, causal, not 'x'"),
        ({}, {"engine": "x"}, "engine must be one of golden, model, rtl, not 'x'"),
        ({}, {"waves": "w.fst"}, "waves needs engine rtl, not golden, which has no signals to show"),
        ({"q": np.full((2, 3, 4), 2.0)}, {}, "q must hold rates in 0..1, not 2 at [0, 0, 0]"),
    ],
)
def test_bad_input(arrays, options, message):
    given = {name: a for name, a in (rates() | arrays).items() if not np.isscalar(a)}
    with pytest.raises(InputError) as error:
        attend(given, **options)
    assert str(error.value) == message
