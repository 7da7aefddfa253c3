"""Draws of accepted plans are independent, shown by elimination over GF(2) and by whole cycles."""

from dataclasses import replace

import numpy as np
import pytest

from golden.errors import InputError
from golden.stochastic.config import StochasticConfig
from golden.stochastic.dependence import DEPTH, REACH, dependent_distance
from golden.stochastic.lfsr import MAX_WIDTH, MIN_WIDTH, period, run, shift
from golden.stochastic.plan import SCORE_SHARINGS, Banks, RandomPlan

WIDTHS = range(MIN_WIDTH, MAX_WIDTH + 1)
LEAPS = range(1, 65)
# Bits that decide a score or an output of 16: what is measured between two of their draws
BITS = 4
DRAWS = 16


def rank(vectors):
    """Over GF(2), by elimination with integers."""
    pivots = []
    for vector in vectors:
        for pivot in pivots:
            vector = min(vector, vector ^ pivot)
        if vector:
            pivots.append(vector)
    return len(pivots)


def shared_bits(states, distance):
    """Mutual information in bits of the upper BITS of two draws `distance` shifts apart, exactly."""
    return 2 * BITS - rank([*states[:BITS], *states[distance : distance + BITS]])


@pytest.mark.parametrize("width", WIDTHS)
def test_no_accepted_leap_makes_draws_dependent(width):
    states = [1]
    for _ in range(max(LEAPS) * DRAWS + BITS):
        states.append(shift(states[-1], width))
    draw_bits = min(width, 16)
    # Short relations of a polynomial with few terms join bits about a width apart
    near = [leap for leap in LEAPS if any(abs(leap * apart - width) <= 2 for apart in range(1, DRAWS))]
    accepted = [leap for leap in near if dependent_distance(width, leap, draw_bits, DRAWS) is None]
    for distance in {leap * apart for leap in accepted for apart in range(1, DRAWS)}:
        assert shared_bits(states, distance) == 0, f"{distance} shifts apart"
    if width >= 24:
        # The default leap serves every width, however many the draws
        assert dependent_distance(width, RandomPlan().leap, draw_bits, REACH + 1) is None


@pytest.mark.parametrize("width", [9, 10, 11, 12])
@pytest.mark.parametrize("leap", [3, 7, 8, 9, 11, 12, 20])
def test_nearest_dependent_draws_by_counting_every_state(width, leap):
    """Independent bits show all patterns equally often on the whole cycle and the state zero."""
    draw_bits, draws = 9, 6
    states = np.append(run(width, [1], 1, period(width))[:, 0], np.uint64(0))
    images = run(width, [int(s) for s in states], leap, draws)

    def uniform(apart):
        for j in range(1, DEPTH):
            upper = states >> np.uint64(width - j)
            later = images[apart] >> np.uint64(width - (DEPTH - j))
            counts = np.bincount(
                (upper << np.uint64(DEPTH - j) | later).astype(np.int64), minlength=1 << DEPTH
            )
            if not (counts == counts[0]).all():
                return False
        return True

    expected = next((apart for apart in range(1, draws) if not uniform(apart)), None)
    assert dependent_distance(width, leap, draw_bits, draws) == expected


@pytest.mark.parametrize(
    ("width", "leap", "apart"), [(15, 15, 1), (15, 7, 2), (28, 14, 2), (52, 13, 4), (41, 41, 1), (32, 6, 1)]
)
def test_leap_that_makes_a_draw_of_an_earlier_one_is_refused(width, leap, apart):
    plan = RandomPlan(width=width, leap=leap, draw_bits=min(width, 16))
    engine = {"tokens": 1, "head_dim": 1, "rows": 1, "steps": 6, "rate_bits": 1}
    StochasticConfig(**engine, plan=replace(plan, allow_dependent=True))
    with pytest.raises(InputError) as error:
        StochasticConfig(**engine, plan=plan)
    assert str(error.value) == (
        f"RandomPlan.leap must keep the draws of a register of {width} bits independent, not {leap}: "
        f"draws that are {apart} apart depend on each other"
    )


def zero_sums(places, spacing, width):
    """Triples of `places` generators whose states cancel at every moment."""
    start = [int(s) for s in run(width, [1], spacing, places)[:, 0]]
    index = {state: n for n, state in enumerate(start)}
    return [
        (0, a, index[start[0] ^ start[a]]) for a in range(1, places) if index.get(start[0] ^ start[a], 0) > a
    ]


@pytest.mark.parametrize("size", range(1, 65))
def test_no_generator_is_the_sum_of_two_others(size):
    for score in SCORE_SHARINGS:
        for rows in {1, size}:
            banks = Banks(plan=RandomPlan(score=score), rows=rows, tokens=size)
            places = sum(generators for generators, *_ in banks.sizes.values())
            assert zero_sums(places, banks.spacing, 32) == []


def test_the_cycle_cut_in_15_is_a_smaller_field():
    # 3 tokens on 3 rows: 3 score, 3 output, 3 + 3 + 3 encoder generators
    assert zero_sums(15, period(32) // 15, 32)
    banks = Banks(plan=RandomPlan(), rows=3, tokens=3)
    assert banks.spacing == period(32) // 16
    assert rank(run(32, [1], banks.spacing, 15)[:, 0].tolist()) == 15
    assert rank(run(32, [1], period(32) // 15, 15)[:, 0].tolist()) == 4


@pytest.mark.parametrize(
    ("tokens", "rows"), [(9, 9), (16, 16), (16, 1), (32, 32), (32, 1), (64, 64), (64, 1)]
)
def test_other_cycles_are_cut_evenly(tokens, rows):
    """The plans of shipped networks and of measured engines are as they would be without the rule."""
    assert Banks(plan=RandomPlan(), rows=rows, tokens=tokens).spacing == period(32) // (3 * tokens + 2 * rows)
