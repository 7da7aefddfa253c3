"""Integer linear layer: closed form against the accumulators of the contract, and its float meaning."""

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from golden.code import PhaseCode, decode, encode
from golden.errors import InputError
from golden.network.linear import prepare_linear
from golden.network.neuron import LINEAR_FRACTION_BITS

CODES = [(16, 1, 2), (24, 2, 7), (8, 3, 4), (40, 1, 5), (1, 1, 1), (12, 3, 8)]


@settings(max_examples=40, deadline=None)
@given(st.sampled_from(CODES), st.integers(0, 2**32 - 1))
def test_potential_is_the_sum_over_octave_accumulators(parameters: tuple[int, int, int], seed: int) -> None:
    steps, a, b = parameters
    code = PhaseCode(steps=steps, log2_base=Fraction(a, b))
    rng = np.random.default_rng(seed)
    layer = prepare_linear(rng.normal(size=(5, 9)), rng.normal(size=5), rng.uniform(0.5, 2, 9), code)
    spikes = encode(rng.normal(size=(3, 9)) * np.exp(2 * rng.normal(size=(3, 9))), layer.input_scale, code)
    constants = [int(np.floor(2.0**LINEAR_FRACTION_BITS * 2.0 ** (-r / b) + 0.5)) for r in range(b)]
    most = a * (steps - 1) // b
    for row in range(3):
        for output in range(5):
            accumulator = [0] * b
            for i in range(9):
                if spikes.sign[row, i]:
                    octaves, residue = divmod(a * int(spikes.phase[row, i]), b)
                    term = int(layer.weight[output, i]) * int(spikes.sign[row, i])
                    accumulator[residue] += term << (most - octaves)
            expected = sum(s * c for s, c in zip(accumulator, constants, strict=True))
            expected += int(layer.bias[output])
            assert int(layer.potentials(spikes[row], code)[output]) == expected


@pytest.mark.parametrize(("steps", "a", "b"), CODES)
def test_potential_means_the_dense_layer_of_the_decoded_input(steps: int, a: int, b: int) -> None:
    code = PhaseCode(steps=steps, log2_base=Fraction(a, b))
    rng = np.random.default_rng(3)
    weight, bias, scale = rng.normal(size=(6, 20)), rng.normal(size=6), rng.uniform(0.5, 2, 20)
    layer = prepare_linear(weight, bias, scale, code, weight_bits=16)
    spikes = encode(rng.normal(size=(50, 20)), scale, code)
    exact = decode(spikes, scale, code) @ weight.T + bias
    np.testing.assert_allclose(
        layer.potentials(spikes, code) * layer.unit, exact, atol=2e-2
    )  # constants have 8 fraction bits


def test_weights_use_the_whole_width_per_output() -> None:
    rng = np.random.default_rng(0)
    layer = prepare_linear(rng.normal(size=(4, 30)) * [[1], [1e-3], [50], [1]], None, 1.0, PhaseCode())
    assert (np.abs(layer.weight).max(axis=1) == 127).all()
    assert (layer.bias == 0).all()


def test_silent_inputs_leave_the_bias() -> None:
    code = PhaseCode()
    layer = prepare_linear(np.ones((2, 3)), np.array([0.25, -1.0]), 1.0, code)
    silent = encode(np.zeros((1, 3)), 1.0, code)
    assert (layer.potentials(silent, code) == layer.bias).all()


def test_codes_beyond_the_exact_range_are_refused() -> None:
    wide = PhaseCode(steps=64, log2_base=Fraction(2))
    with pytest.raises(InputError, match=r"needs 153 bits of potential at T=64, log2_base=2; at most 53"):
        prepare_linear(np.ones((1, 4096)), None, 1.0, wide, weight_bits=8)
