"""Counts of the three kinds of attention, worked out by hand for a small layer."""

from dataclasses import replace

import pytest

from energy.prices import access, add, multiply
from energy.sensitivity import adder_tree_bits, sensitivity
from energy.stochastic import Layer, float_attention, spiking_attention, stochastic_attention
from golden.errors import InputError
from golden.stochastic.plan import RandomPlan
from hw.stochastic.generator import times_constant

LAYER = Layer(tokens=4, head_dim=8, heads=2, steps=3, rate=0.5)
BIT = 10 / 64


def energies(account):
    """(compute, memory) in picojoule."""
    return account.compute.picojoule, account.memory.picojoule


class Term:
    """Stands for a signal and counts the additions behind it."""

    def __init__(self, additions=0):
        self.additions = additions

    def __lshift__(self, places):
        return self

    def __add__(self, other):
        return Term(self.additions + other.additions + 1)

    __sub__ = __add__


def pj(price):
    return price.picojoule


def line(account, name):
    return account.compute.line(name)


def test_float_counts():
    # 2 heads * (4*8*4 + 4*4*8) products in sums of up to 8; 4*64 inputs and outputs, 2*32 scores
    product = 0.2 + pj(add(16 + 3))
    assert energies(float_attention(LAYER, 8)) == pytest.approx((512 * product, 8 * (4 * 64 + 2 * 32) * BIT))
    assert energies(float_attention(LAYER, 32))[0] == pytest.approx(512 * 4.6)


def test_spiking_counts():
    memory = 3 * (4 * 64 + 2 * 8 * 32) * BIT
    # A quarter of the pairs meet in a score, half of the values spike into sums of 4 scores of 8 bits
    compute = 0.25 * 0.03 + 0.5 * pj(add(8 + 2))
    assert energies(spiking_attention(LAYER)) == pytest.approx((3 * 256 * compute, memory))


def test_stochastic_counts():
    bit = 0.03 / 8
    # 512 ANDs; 64 coincidences that change 2 bits each; 32 that pass 2 levels; 32 comparisons of 4 bits
    # (0..8 needs them) and 64 of 3; per head 4 registers for the columns and 4 that move in 8 features
    step = (512 + 64 * 2 + 32 * 2 + 32 * 4 + 64 * 3 + 2 * (4 + 4 * 8) * 32) * bit
    # Two halves of 4 tokens and 8 columns: a bit costs what the root of 64 bits in 8 KiB makes of it
    delay = 2 * 64 * BIT * (8 / 8192) ** 0.5
    assert energies(stochastic_attention(LAYER)) == pytest.approx((3 * step, 3 * (4 * 64 * BIT + delay)))


@pytest.mark.parametrize(
    ("score", "score_bits", "output"),
    [
        ("unit", 16 * 32, "lane"),
        ("column-broadcast", 4 * 32, "lane"),
        ("row-broadcast", 4 * 32, "broadcast"),
        # One register, and the draws that are looked ahead beside it
        ("row", 4 * (32 + 4 * 16), "lane"),
        ("array", 32 + 16 * 16, "serial"),
    ],
)
def test_random_numbers_of_the_plan(score, score_bits, output):
    output_bits = {"lane": 4 * 32, "broadcast": 32, "serial": 32 + 4 * 16}[output]
    account = stochastic_attention(LAYER, 0.5, RandomPlan(score=score, output=output))
    numbers = line(account, "random numbers")
    assert numbers.count == 2 * 3 * (score_bits + 8 * output_bits)
    assert (numbers.price.picojoule, numbers.price.source) == (0.5, "given")


# 48 = 64 - 16 is one subtraction of 16-bit draws times 3; 45 = 64 - 16 - 4 + 1 takes three additions
@pytest.mark.parametrize(("size", "additions", "bits"), [(48, 1, 18), (45, 3, 22), (7, 1, 19), (1, 0, 17)])
def test_scaling_of_draws(size, additions, bits):
    plan = RandomPlan(score="unit")
    wide = Layer(tokens=4, head_dim=size, heads=2, steps=3, rate=0.5)
    score = line(stochastic_attention(wide, plan=plan), "scaling of score draws")
    assert (score.count, score.price) == (2 * 3 * 16 * additions, add(bits))
    long = Layer(tokens=size, head_dim=4, heads=2, steps=3, rate=0.5)
    output = line(stochastic_attention(long), "scaling of output draws")
    assert (output.count, output.price) == (2 * 3 * 4 * size * additions, add(bits))


def test_scaling_counts_the_additions_of_the_generator():
    """The hardware multiplies a draw by shifts, additions and subtractions."""
    for size in range(1, 257):
        layer = Layer(tokens=1, head_dim=size, heads=1, steps=1, rate=0.5)
        counted = line(stochastic_attention(layer), "scaling of score draws").count
        assert counted == times_constant(Term(), size).additions, size


def test_sensitivity_changes_one_line_at_a_time():
    result = sensitivity(LAYER)
    compute, memory = energies(stochastic_attention(LAYER))
    numbers, words = energies(float_attention(LAYER, 8))
    gates, bit = 3 * 512 * 0.03 / 8, 0.03 / 8
    # Softmax of 8 rows of 4 scores with sums of 19 bits: three additions and 16 bits of a table of 4096
    width = 19
    soft = (
        32 * (3 * pj(add(width)) + pj(access(16, 4096)))
        + 8 * 16 * pj(add(width))
        + 64 * pj(multiply(width, 16))
    )
    delay = 3 * 2 * 64 * BIT * (8 / 8192) ** 0.5
    # 4 spikes: two adders of 1 bit and one of 2
    row = compute + 3 * (64 * 4 - 32 * 2) * bit
    # 16 registers instead of 4
    unshared = compute + 3 * 2 * 12 * 32 * bit
    expected = {
        "as counted": (numbers / compute, words / memory),
        "AND gates at half their constant": (numbers / (compute - gates / 2), words / memory),
        "a generator per score, none shared": (numbers / unshared, words / memory),
        "every bit of the row adders, at every output": (numbers / row, words / memory),
        "softmax charged to the float network": (
            (numbers + soft) / compute,
            (words + 2 * 32 * 8 * BIT) / memory,
        ),
        "no memory for values that wait": (numbers / compute, words / (memory - delay)),
        "both of these": ((numbers + soft) / compute, (words + 2 * 32 * 8 * BIT) / (memory - delay)),
    }
    assert list(result.ratios) == list(expected)
    for name, ratios in expected.items():
        assert tuple(result.ratios[name].values()) == pytest.approx(ratios), name
    assert result.and_share == pytest.approx(gates / compute)


def test_the_constant_that_gives_the_papers_ratio():
    layer = Layer(tokens=64, head_dim=48, heads=8, steps=10, rate=0.25)
    result = sensitivity(layer)
    gates = line(stochastic_attention(layer), "AND gates")
    compute, _ = energies(stochastic_attention(layer))
    numbers, _ = energies(float_attention(layer, 8))
    needed = compute + gates.count * (result.and_picojoule - gates.price.picojoule)
    assert numbers / needed == pytest.approx(6.3)
    assert result.and_fraction == pytest.approx(result.and_picojoule / (0.03 / 8))
    # With a hundred steps the other lines alone are too much
    many = sensitivity(replace(layer, steps=100))
    assert (many.and_picojoule, many.and_fraction) == (None, None)


@pytest.mark.parametrize(("inputs", "bits"), [(1, 0), (2, 1), (3, 3), (4, 4), (64, 120)])
def test_adder_tree(inputs, bits):
    assert adder_tree_bits(inputs) == bits


def test_score_rate_of_none_is_the_square_of_the_rate():
    given = Layer(tokens=4, head_dim=8, heads=2, steps=3, rate=0.5, score_rate=0.25)
    assert stochastic_attention(given) == stochastic_attention(LAYER)
    silent = Layer(tokens=4, head_dim=8, heads=2, steps=3, rate=0.5, score_rate=0)
    assert energies(stochastic_attention(silent))[0] < energies(stochastic_attention(LAYER))[0]


@pytest.mark.parametrize(
    ("field", "value", "message"),
    [
        ("rate", 1.5, "rate must be in 0..1, not 1.5"),
        ("score_rate", -0.5, "score_rate must be in 0..1, not -0.5"),
        ("steps", 0, "steps must be an integer in 1..65536, not 0"),
    ],
)
def test_bad_layer(field, value, message):
    fields = {"tokens": 4, "head_dim": 8, "heads": 2, "steps": 3, "rate": 0.5}
    with pytest.raises(InputError) as error:
        Layer(**fields | {field: value})
    assert str(error.value) == message
