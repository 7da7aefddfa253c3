import numpy as np
import pytest

from golden.errors import InputError
from golden.stochastic.attention import (
    StochasticJob,
    compute,
    encode_rates,
    expectation,
    prepare,
    scale_draw,
)
from golden.stochastic.config import StochasticConfig
from golden.stochastic.lfsr import run
from golden.stochastic.lif import lif_layer
from golden.stochastic.plan import RandomPlan

PLANS = [
    RandomPlan(),
    RandomPlan(score="row", output="serial", encoder="serial", seed=12345),
    RandomPlan(score="unit", output="broadcast", encoder="broadcast"),
    RandomPlan(score="array", width=40, leap=7),
    RandomPlan(score="row-broadcast", draw_bits=9, width=33),
]
SHAPES = [(8, 4, 8), (7, 5, 7), (5, 6, 2), (6, 3, 1), (1, 1, 1), (3, 1, 2)]


def literal(job: StochasticJob):
    """Attention with one loop per index, in the order of events of the contract."""
    config = job.config
    n, d, bits = config.tokens, config.head_dim, config.plan.draw_bits
    score_bank, output_bank = config.bank("score"), config.bank("output")
    score = np.zeros((job.steps, job.heads, n, n), dtype=bool)
    out = np.zeros(job.q.shape, dtype=bool)
    slot = job.first_head * job.steps * config.groups
    for h in range(job.heads):
        for t in range(job.steps):
            for group in range(config.groups):
                u = np.broadcast_to(score_bank.numbers(slot, 1)[0], score_bank.lanes)
                for r in range(config.rows):
                    i = group * config.rows + r
                    if i >= n:
                        continue
                    for j in range(n):
                        count = sum(int(job.q[t, h, i, c] and job.k[t, h, j, c]) for c in range(d))
                        masked = {"none": False, "diagonal": i == j, "causal": j > i}[config.mask]
                        score[t, h, i, j] = count > int(u[r, j]) * d // 2**bits and not masked
                    for c in range(d):
                        w = np.broadcast_to(output_bank.numbers(slot * d + c, 1)[0], output_bank.lanes)
                        total = sum(int(score[t, h, i, j] and job.v[t, h, j, c]) for j in range(n))
                        out[t, h, i, c] = total > int(w[r]) * n // 2**bits
                slot += 1
    return score, out


@pytest.mark.parametrize("plan", PLANS)
@pytest.mark.parametrize(("tokens", "head_dim", "rows"), SHAPES)
@pytest.mark.parametrize("mask", ["none", "diagonal", "causal"])
def test_compute_equals_literal_loops(plan, tokens, head_dim, rows, mask):
    config = StochasticConfig(tokens=tokens, head_dim=head_dim, rows=rows, plan=plan, mask=mask)
    rng = np.random.default_rng(3)
    q, k, v = rng.random((3, 3, 2, tokens, head_dim)) < 0.8
    job = prepare(q, k, v, config, first_head=1)
    spikes = compute(job)
    score, out = literal(job)
    np.testing.assert_array_equal(spikes.score, score)
    np.testing.assert_array_equal(spikes.out, out)


@pytest.mark.parametrize("rows", [1, 3, 7])
def test_heads_follow_one_another(rows):
    config = StochasticConfig(tokens=7, head_dim=6, rows=rows)
    rng = np.random.default_rng(4)
    q, k, v = rng.uniform(size=(3, 5, 7, 6))
    whole = prepare(q, k, v, config, steps=4)
    tail = prepare(q[3:], k[3:], v[3:], config, steps=4, first_head=3)
    np.testing.assert_array_equal(tail.q, whole.q[:, 3:])
    np.testing.assert_array_equal(tail.v, whole.v[:, 3:])
    np.testing.assert_array_equal(compute(tail).out, compute(whole).out[:, 3:])


@pytest.mark.parametrize("size", [1, 2, 3, 5, 7, 12, 16, 25, 31, 48, 49, 100, 197, 255, 256])
def test_comparator_is_unbiased_over_the_period(size):
    # Every state of a 16-bit register once: the exact spike probability of every count
    width = 16
    for draw_bits in (8, 12, 16):
        states = run(width, [1], 1, 2**width - 1)[:, 0]
        drawn = scale_draw(states >> np.uint64(width - draw_bits), size, draw_bits)
        assert drawn.min() == 0
        assert drawn.max() == size - 1
        below = np.cumsum(np.bincount(drawn, minlength=size)) / len(states)
        probability = np.concatenate([[0.0], below])
        counts = np.arange(size + 1)
        assert probability[0] == 0
        assert probability[size] == 1
        bound = 2.0**-width if size & (size - 1) == 0 else 2.0**-draw_bits + 2.0**-width
        assert np.abs(probability - counts / size).max() <= bound


def test_encoder_probability_over_the_period():
    plan = RandomPlan(width=16, draw_bits=12, leap=1, allow_dependent=True)
    config = StochasticConfig(tokens=1, head_dim=1, rows=1, plan=plan, rate_bits=4)
    for rate in range(17):
        train = encode_rates(np.array([[rate]]), config.bank("q"), 0, 2**16 - 1, 4)
        assert train.sum() == (rate * 2**12 - 1 if rate else 0)


@pytest.mark.parametrize(("tokens", "head_dim"), [(8, 8), (7, 11)])
def test_rates_reach_the_expectation(tokens, head_dim):
    config = StochasticConfig(tokens=tokens, head_dim=head_dim, rows=tokens, steps=1024)
    rng = np.random.default_rng(5)
    q, k, v = rng.integers(0, 257, size=(3, 4, tokens, head_dim)) / 256
    job = prepare(q, k, v, config, steps=1024)
    expected = expectation(q, k, v, config)
    np.testing.assert_allclose(expected, np.einsum("hid,hjd,hjl->hil", q, k, v) / tokens / head_dim)
    error = compute(job).rate - expected
    deviation = np.sqrt((expected * (1 - expected)).sum() / 1024)
    assert abs(error.sum()) < 4 * deviation * np.sqrt(tokens)
    assert np.abs(error).max() < 6 * np.sqrt(0.25 / 1024)


def test_expectation_of_trains_and_masks():
    config = StochasticConfig(tokens=3, head_dim=2, rows=3, mask="causal")
    trains = np.ones((2, 1, 3, 2))
    expected = expectation(trains, trains, trains, config)
    np.testing.assert_allclose(expected[0, :, 0], [1 / 3, 2 / 3, 1])
    np.testing.assert_allclose(expectation(*np.ones((3, 3, 2)), config), expected)
    assert compute(prepare(trains, trains, trains, config)).out[:, 0, 2].all()


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"q": np.full((2, 3, 4), 1.01)}, "q must hold rates in 0..1, not 1.01 at [0, 0, 0]"),
        ({"k": np.full((2, 3, 4), -0.5)}, "k must hold rates in 0..1, not -0.5 at [0, 0, 0]"),
        ({"v": np.full((2, 3, 4), np.nan)}, "v must be finite, not nan at [0, 0, 0]"),
        ({"v": np.zeros((2, 3, 5))}, "v must have the shape of q, [2, 3, 4], not [2, 3, 5]"),
        ({"steps": 0}, "steps must be an integer in 1..16, not 0"),
        ({"steps": 17}, "steps must be an integer in 1..16, not 17"),
        ({"steps": None}, "steps must be given with rates, it is absent"),
    ],
)
def test_bad_rates(change, message):
    config = StochasticConfig(tokens=3, head_dim=4, rows=3)
    zeros = np.zeros((2, 3, 4))
    given = {"q": zeros, "k": zeros, "v": zeros, "steps": 2} | change
    with pytest.raises(InputError) as error:
        prepare(given["q"], given["k"], given["v"], config, steps=given["steps"])
    assert str(error.value) == message


@pytest.mark.parametrize(
    ("shape", "value", "steps", "message"),
    [
        ((2, 1, 3, 4), 2, None, "q must hold a spike train of 0 and 1, not 2 at [0, 0, 0, 0]"),
        ((2, 1, 3, 4), 0.5, None, "q must hold a spike train of 0 and 1, not 0.5 at [0, 0, 0, 0]"),
        ((2, 1, 3, 4), 0, 3, "steps must agree with the trains (2), not 3"),
        ((2, 1, 4, 3), 0, None, "q must end in the shape [3, 4], not [4, 3]"),
        ((17, 1, 3, 4), 0, None, "steps must be an integer in 1..16, not 17"),
        ((0, 1, 3, 4), 0, None, "q must not be empty, its shape is [0, 1, 3, 4]"),
    ],
)
def test_bad_trains(shape, value, steps, message):
    config = StochasticConfig(tokens=3, head_dim=4, rows=3)
    train = np.full(shape, value)
    with pytest.raises(InputError) as error:
        prepare(train, train, train, config, steps=steps)
    assert str(error.value) == message


def test_lif_by_hand():
    # tau = 2, threshold 8: 5; 5-2+5=8 spikes; 5; with -3: v - floor(v/2) rounds towards the new value
    current = np.array([[5, -3], [5, -3], [5, 9], [0, 3]])
    np.testing.assert_array_equal(
        lif_layer(current, 8), [[False, False], [True, False], [False, False], [False, False]]
    )
    # tau = 1 forgets at once, so a neuron spikes exactly where its current reaches the threshold
    np.testing.assert_array_equal(lif_layer(current, 5, tau_bits=0), current >= 5)


@pytest.mark.parametrize(("threshold", "tau_bits"), [(0, 1), (4, 9), (4, -1)])
def test_bad_lif(threshold, tau_bits):
    with pytest.raises(InputError, match="must be an integer in"):
        lif_layer(np.zeros((1, 1), dtype=np.int64), threshold, tau_bits)
