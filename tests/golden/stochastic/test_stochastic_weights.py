"""The stream of weights of a stochastic network: word for word as described, and what it asks of a core."""

from dataclasses import replace

import numpy as np
import pytest

from golden.descriptors import words
from golden.errors import InputError
from golden.stochastic.network import NetworkShape, SpikingNetwork
from golden.stochastic.network_config import WEIGHT_BITS, StochasticNetworkConfig
from golden.stochastic.program import check_fit, compile_network, config_for
from golden.stochastic.weights import pass_words, weight_words
from tests.hw.stochastic.bench_stochastic_network import STEPS, small_network

NETWORK = small_network("stem")[1].network


@pytest.mark.parametrize(("lanes", "wide"), [(4, 16), (4, 8), (8, 32), (16, 16)])
def test_every_word(lanes: int, wide: int) -> None:
    config = config_for(NETWORK, STEPS, lanes, weight_stream=wide)
    program = check_fit(NETWORK, STEPS, config)
    stream = [int(word) for word in weight_words(program, config)]
    assert pass_words(program, config)[0] == 1 + program.layers[0].inputs * lanes * WEIGHT_BITS // wide
    assert len(stream) == sum(pass_words(program, config))
    rows = iter(program.weights)
    for op in program.layers:
        for _ in range(op.passes):
            assert stream.pop(0) == op.inputs
            for _ in range(op.inputs):
                bits = sum(stream.pop(0) << wide * piece for piece in range(lanes * WEIGHT_BITS // wide))
                octets = bits.to_bytes(lanes, "little")
                np.testing.assert_array_equal(np.frombuffer(octets, np.int8), next(rows))
    assert not stream
    assert next(rows, None) is None


def test_a_lane_of_fewer_bits_than_a_word() -> None:
    config = StochasticNetworkConfig(
        tokens=1, head_dim=1, rows=1, lanes=1, weight_stream=32, spikes=1, stream=1, weights=5, biases=1,
        layers=1, accumulator_bits=8, stream_bits=8, bias_bits=2,
    )  # fmt: skip
    assert config.weight_pieces == 1


def test_a_core_needs_the_weights_of_a_pass() -> None:
    """The rest of its sizes are those of a core with all of them."""
    inside = compile_network(NETWORK, 4, STEPS)
    streamed = compile_network(NETWORK, 4, STEPS, streamed=True)
    assert streamed.needs == inside.needs | {"weights": max(op.inputs for op in inside.layers)}
    assert streamed.needs["weights"] < inside.needs["weights"]
    config = config_for(NETWORK, STEPS, 4, weight_stream=16)
    with pytest.raises(InputError, match="the network needs weights = 32, this core has 31"):
        check_fit(NETWORK, STEPS, replace(config, weights=31))


def test_more_passes_than_inputs_of_one() -> None:
    """A layer has as many passes as the spike memory holds words of a row: they fit their descriptor."""
    shape = NetworkShape(
        side=2, channels=1, patch=1, stride=1, width=8, heads=8, depth=1, hidden=3, classes=2
    )
    arrays = {name: np.ones(size, kind) for name, (kind, size) in shape.arrays.items()}
    network = SpikingNetwork(shape=shape, kind="ssa", arrays=arrays)
    config = config_for(network, 1, lanes=1, weight_stream=8)
    program = check_fit(network, 1, config)
    assert (config.weights, max(op.passes for op in program.layers)) == (8, 24)
    for op in [*program.layers, program.heads]:
        for name, word in words(type(op), config).items():
            assert int(getattr(op, name)).bit_length() <= word.bits, name


def test_streams_that_are_refused() -> None:
    config = config_for(NETWORK, STEPS, 4, weight_stream=16)
    with pytest.raises(InputError, match="weight_stream must be one of 0, 1, 2, 4, 8, 16, 32, not 12"):
        replace(config, weight_stream=12)
    with pytest.raises(InputError, match="the inputs of a pass, weights = 32, in 6 bits or more, not 4"):
        replace(config, weight_stream=4)
