from itertools import pairwise
from math import prod

import numpy as np
import pytest

from golden.errors import InputError
from golden.stochastic.config import StochasticConfig
from golden.stochastic.lfsr import period, shift
from golden.stochastic.plan import SCORE_SHARINGS, Banks, RandomPlan, seed_stride

NAMES = ("score", "output", "q", "k", "v")


def serial_draws(bank, events):
    """Draws of a bank by shifting one generator at a time, [events, lanes]."""
    plan = bank.plan
    streams = []
    for state in bank.starts:
        stream = []
        for _ in range(events * bank.draws):
            stream.append(state >> (plan.width - plan.draw_bits))
            for _ in range(plan.leap):
                state = shift(state, plan.width)
        streams.append(stream)
    sources = [bank.source(lane) for lane in range(prod(bank.lanes))]
    return [[streams[g][event * bank.draws + n] for g, n in sources] for event in range(events)]


@pytest.mark.parametrize("score", SCORE_SHARINGS)
@pytest.mark.parametrize("lane", ["lane", "serial", "broadcast"])
def test_numbers_equal_serial_draws(score, lane):
    plan = RandomPlan(width=23, draw_bits=11, leap=5, seed=99, score=score, output=lane, encoder=lane)
    banks = Banks(plan=plan, rows=3, tokens=4).all
    assert tuple(banks) == NAMES
    for name in NAMES:
        bank = banks[name]
        drawn = bank.numbers(0, 6)
        wide = np.broadcast_to(drawn, (6, *bank.lanes)).reshape(6, -1)
        np.testing.assert_array_equal(wide, serial_draws(bank, 6))
        np.testing.assert_array_equal(bank.numbers(4, 2), drawn[4:])


def test_generators_are_evenly_spaced_from_the_seed():
    plan = RandomPlan(width=12, seed=77, draw_bits=8)
    banks = Banks(plan=plan, rows=2, tokens=3)
    starts = [start for name in NAMES for start in banks.all[name].starts]
    state = 1
    for _ in range(77 * int(4095 * (5**0.5 - 1) / 2)):
        state = shift(state, 12)
    assert starts[0] == state
    assert banks.spacing == period(12) // len(starts)
    for start in starts:
        assert state == start
        for _ in range(banks.spacing):
            state = shift(state, 12)


@pytest.mark.parametrize("width", [32, 40, 64])
def test_no_two_seeds_are_near_each_other(width):
    places = sorted(seed * seed_stride(width) % period(width) for seed in range(1, 10_001))
    gaps = [b - a for a, b in pairwise([*places, places[0] + period(width)])]
    assert min(gaps) > 0.4 * period(width) / 10_000


@pytest.mark.parametrize("score", SCORE_SHARINGS)
@pytest.mark.parametrize("rows", [1, 2, 5])
def test_distinct_steps_share_no_bit(score, rows):
    # Places of all draws on the cycle, by brute force; neighbours must be `width` shifts apart
    plan = RandomPlan(width=17, draw_bits=8, leap=17, score=score, allow_dependent=True)
    config = StochasticConfig(tokens=5, head_dim=6, rows=rows, steps=3, plan=plan, rate_bits=8)
    steps = config.distinct_steps
    assert steps >= 3
    columns = config.groups * config.head_dim
    events = {"score": config.groups, "output": columns, "q": columns, "k": 6, "v": 6}
    places, base = [], 0
    banks = Banks(plan=plan, rows=rows, tokens=5)
    for name in NAMES:
        bank = config.bank(name)
        for _ in bank.starts:
            places += [base + n * plan.leap for n in range(steps * events[name] * bank.draws)]
            base += banks.spacing
    places.sort()
    places.append(places[0] + period(17))
    assert min(b - a for a, b in pairwise(places)) >= 17


def test_short_leaps_share_bits_within_a_generator_only():
    plan = RandomPlan(width=17, draw_bits=8, leap=1, score="row", allow_dependent=True)
    draws = StochasticConfig(tokens=5, head_dim=6, rows=5, steps=3, plan=plan).bank("score").numbers(0, 3)
    np.testing.assert_array_equal(draws[..., 1:] >> np.uint64(1), draws[..., :-1] & np.uint64(0x7F))


def test_plan_that_repeats_itself_is_refused():
    # 4096 cells with 16 shifts each: 65536 = 1 modulo the period of 16 bits
    plan = RandomPlan(width=16, score="array")
    with pytest.raises(
        InputError, match=r"^RandomPlan\.width must give 16 time steps of distinct draws, not 16"
    ):
        StochasticConfig(tokens=64, head_dim=64, rows=64, plan=plan)
    bad = RandomPlan(width=16, score="array", allow_dependent=True)
    bank = StochasticConfig(tokens=64, head_dim=64, rows=64, plan=bad).bank("score")
    draws = bank.numbers(0, 2).reshape(2, -1)
    np.testing.assert_array_equal(draws[1] >> np.uint64(1), draws[0] & np.uint64(0x7FFF))


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"width": 2}, "RandomPlan.width must be a width with a known maximal polynomial, 3..64, not 2"),
        ({"seed": 0}, "RandomPlan.seed must be an integer in 1..4294967295, not 0"),
        ({"leap": 0}, "RandomPlan.leap must be an integer in 1..64, not 0"),
        ({"draw_bits": 33}, "RandomPlan.draw_bits must be an integer in 1..32, not 33"),
        ({"width": 12}, "RandomPlan.draw_bits must be at most width (12), not 16"),
        (
            {"score": "cell"},
            "RandomPlan.score must be one of unit, row, array, column-broadcast, row-broadcast, not 'cell'",
        ),
        ({"score": ["row"]}, f"RandomPlan.score must be one of {', '.join(SCORE_SHARINGS)}, not ['row']"),
        ({"allow_dependent": 0}, "RandomPlan.allow_dependent must be true or false, not 0"),
        ({"output": "row"}, "RandomPlan.output must be one of lane, serial, broadcast, not 'row'"),
        ({"encoder": ""}, "RandomPlan.encoder must be one of lane, serial, broadcast, not ''"),
    ],
)
def test_bad_plan(fields, message):
    with pytest.raises(InputError) as error:
        RandomPlan(**fields)
    assert str(error.value) == message


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"tokens": 0}, "StochasticConfig.tokens must be an integer in 1..256, not 0"),
        ({"head_dim": 300}, "StochasticConfig.head_dim must be an integer in 1..256, not 300"),
        ({"rows": 9}, "StochasticConfig.rows must be an integer in 1..8, not 9"),
        ({"steps": 0}, "StochasticConfig.steps must be an integer in 1..1024, not 0"),
        ({"rate_bits": 17}, "StochasticConfig.rate_bits must be an integer in 1..16, not 17"),
        ({"mask": "upper"}, "StochasticConfig.mask must be one of none, diagonal, causal, not 'upper'"),
        (
            {"plan": RandomPlan(draw_bits=2), "rate_bits": 2},
            "RandomPlan.draw_bits must be at least 3 for 8 tokens, 4 features and rate_bits = 2, not 2",
        ),
        (
            {"plan": RandomPlan(draw_bits=4)},
            "RandomPlan.draw_bits must be at least 8 for 8 tokens, 4 features and rate_bits = 8, not 4",
        ),
    ],
)
def test_bad_config(fields, message):
    with pytest.raises(InputError) as error:
        StochasticConfig(**({"tokens": 8, "head_dim": 4, "rows": 8} | fields))
    assert str(error.value) == message
