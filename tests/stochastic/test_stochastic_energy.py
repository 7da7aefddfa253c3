import pytest

from golden.stochastic import energy
from golden.stochastic.energy import Shape, float_attention, spiking_attention, stochastic_attention

SHAPE = Shape(tokens=4, head_dim=8, heads=2, steps=3, rate=0.5)


def test_float_counts():
    # 2 heads * (4*8*4 + 4*4*8) products; 8 bits: 4*64 inputs and outputs, 2*32 scores
    result = float_attention(SHAPE, 8)
    assert result.compute == pytest.approx(512 * 0.23)
    assert result.memory == pytest.approx(8 * (4 * 64 + 2 * 32) * 10 / 64)
    assert float_attention(SHAPE, 32).compute == pytest.approx(512 * 4.6)


def test_spiking_counts():
    result = spiking_attention(SHAPE)
    assert result.compute == pytest.approx(3 * 256 * 0.75 * 0.03)
    assert result.memory == pytest.approx(3 * (4 * 64 + 2 * 8 * 32) * 10 / 64)


def test_stochastic_counts():
    bit = 0.03 / 8
    # 512 ANDs; 256*(1/4 + 1/8) increments of 2 bits; 32 draws of 3 bits and 64 of 2, used and compared
    step = 512 * bit + 96 * 2 * bit + 2 * (32 * 3 + 64 * 2) * bit
    result = stochastic_attention(SHAPE)
    assert result.compute == pytest.approx(3 * step)
    assert result.memory == pytest.approx(3 * 4 * 64 * 10 / 64)
    assert pytest.approx(bit) == energy.ADDER_BIT
