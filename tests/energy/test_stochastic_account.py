"""Counts of the three kinds of attention, worked out by hand for a small layer."""

import pytest

from golden.energy.hardware import total
from golden.energy.stochastic import Layer, float_attention, spiking_attention, stochastic_attention
from golden.errors import InputError

LAYER = Layer(tokens=4, head_dim=8, heads=2, steps=3, rate=0.5)
BIT = 10 / 64


def energies(account):
    """(compute, memory) in picojoule."""
    return total(account.compute) * 1e6, total(account.memory) * 1e6


def test_float_counts():
    # 2 heads * (4*8*4 + 4*4*8) products; 8 bits: 4*64 inputs and outputs, 2*32 scores
    assert energies(float_attention(LAYER, 8)) == pytest.approx((512 * 0.23, 8 * (4 * 64 + 2 * 32) * BIT))
    assert energies(float_attention(LAYER, 32))[0] == pytest.approx(512 * 4.6)


def test_spiking_counts():
    memory = 3 * (4 * 64 + 2 * 8 * 32) * BIT
    assert energies(spiking_attention(LAYER)) == pytest.approx((3 * 256 * 0.75 * 0.03, memory))


def test_stochastic_counts():
    bit = 0.03 / 8
    # 512 ANDs; 256*(1/4 + 1/8) increments of 2 bits; 32 draws of 3 bits and 64 of 2, used and compared
    step = 512 * bit + 96 * 2 * bit + 2 * (32 * 3 + 64 * 2) * bit
    assert energies(stochastic_attention(LAYER)) == pytest.approx((3 * step, 3 * 4 * 64 * BIT))


def test_score_rate_of_none_is_the_square_of_the_rate():
    given = Layer(tokens=4, head_dim=8, heads=2, steps=3, rate=0.5, score_rate=0.25)
    assert stochastic_attention(given) == stochastic_attention(LAYER)
    silent = Layer(tokens=4, head_dim=8, heads=2, steps=3, rate=0.5, score_rate=0)
    assert total(stochastic_attention(silent).compute) < total(stochastic_attention(LAYER).compute)


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
