"""Streamed weights: descriptors of one pass, and the words that bring the weights."""

from dataclasses import replace

import numpy as np
import pytest

from golden.errors import InputError
from golden.network import program
from golden.network.compiler import Program
from golden.network.config import NetworkConfig
from golden.network.descriptors import slot_word
from golden.network.limits import OFFSET_BITS
from golden.network.program import check_fit, config_for
from golden.network.reader import ReaderTiming
from golden.network.sizes import sized_config
from golden.network.weights import neuron_pieces, pass_words, weight_words
from tests.golden.network.samples import converted, random_images, random_transformer
from tests.golden.network.test_program import CODE, attended


def sample(weight_stream: int, **shape: int) -> tuple[NetworkConfig, Program, Program]:
    """A core with a stream, and the programs for it and for one that holds its weights."""
    network = converted(random_transformer(1, **shape), random_images(2, 20), CODE)
    held = config_for(network, lanes=12, cluster=3)
    config = config_for(network, lanes=12, cluster=3, weight_stream=weight_stream)
    return config, check_fit(network, config), check_fit(network, held)


def read_words(
    words: list[int], config: NetworkConfig
) -> tuple[list[list[list[int]]], list[tuple[int, int, int]]]:
    """Passes of inputs of weights, and entries of the neuron table, by the order that is documented."""
    passes, neurons, place = [], [], 0
    while place < len(words):
        inputs, entries, place = words[place], words[place + 1], place + 2
        found = []
        for _ in range(inputs):
            lanes: list[int] = []
            for _ in range(config.clusters):
                pieces = words[place : place + config.weight_pieces]
                value = sum(word << n * config.weight_stream for n, word in enumerate(pieces))
                place += config.weight_pieces
                for _ in range(config.cluster):
                    lanes.append(signed(value, config.weight_bits))
                    value >>= config.weight_bits
            found.append(lanes)
        passes.append(found)
        for _ in range(entries):
            pieces = words[place : place + neuron_pieces(config)]
            value = sum(word << n * config.weight_stream for n, word in enumerate(pieces))
            place += len(pieces)
            bias, offset = signed(value, config.potential_bits), value >> config.potential_bits
            neurons.append((bias, signed(offset, OFFSET_BITS), offset >> OFFSET_BITS))
    return passes, neurons


def signed(value: int, bits: int) -> int:
    low = value & ((1 << bits) - 1)
    return low - (low >> bits - 1 << bits)


@pytest.mark.parametrize("weight_stream", [7, 16, 24, 64])
def test_words_hold_the_weights_pass_by_pass(weight_stream: int) -> None:
    config, program, held = sample(weight_stream)
    words = weight_words(program, config)
    assert len(words) == pass_words(program, config).sum()
    passes, neurons = read_words([int(word) for word in words], config)
    assert [len(inputs) for inputs in passes] == [op.inputs for op in program.linear]
    assert np.array_equal(np.concatenate([np.array(inputs) for inputs in passes]), program.weights)
    slot = slot_word(program.table[:, 2], config)
    assert np.array_equal(neurons, np.column_stack([program.table[:, :2], slot]))
    # the same weights in the same order as in a core that holds them
    assert np.array_equal(program.weights, held.weights)


def test_a_descriptor_is_one_pass() -> None:
    _, program, held = sample(16, hidden=30)
    assert max(op.passes for op in held.linear) == 3
    assert len(program.linear) == sum(op.passes for op in held.linear)
    assert all(op.passes == 1 and op.outputs <= 12 for op in program.linear)
    # rows are complete with the last pass of what is one descriptor otherwise
    ends = np.cumsum([op.passes for op in held.linear]) - 1
    assert [n for n, op in enumerate(program.linear) if op.closes] == ends.tolist()
    assert sum(op.opens for op in program.linear) == len(held.linear)
    assert [op.wait for op in program.linear if op.opens] == [op.wait for op in held.linear]
    assert [op.wait for op in program.norm] == [op.wait for op in held.norm]
    assert [op.wait for op in program.attention] == [op.wait for op in held.attention]


def test_a_half_holds_a_pass() -> None:
    network = attended()
    assert config_for(network, weight_stream=16).weights < config_for(network).weights
    config = sized_config(network, {"weight_stream": 16, "lanes": 16})
    assert config.weight_stream == 16
    with pytest.raises(InputError, match=r"the network needs weights = 12, this core has 2"):
        check_fit(network, replace(config, weights=2))


def test_weights_that_no_memory_holds(monkeypatch: pytest.MonkeyPatch) -> None:
    """What a stream of them would need is named."""
    network = attended()
    held = config_for(network)
    need = r"the network needs weights = \d+, {} 4; with weight_stream it would need 12$"
    with pytest.raises(InputError, match=need.format("this core has")):
        check_fit(network, replace(held, weights=4))
    monkeypatch.setattr(program, "MAX_WORDS", 4)
    with pytest.raises(InputError, match=need.format("a core has at most")):
        config_for(network)
    assert config_for(network, weight_stream=16).weights == 12


@pytest.mark.parametrize(("weights", "width"), [(64, 6), (64, -1), (64, 65)])
def test_words_too_narrow_for_a_pass(weights: int, width: int) -> None:
    with pytest.raises(InputError, match=r"NetworkConfig.weight_stream must"):
        replace(config_for(attended()), weights=weights, weight_stream=width)


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"interval": 0}, r"ReaderTiming.interval must be an integer in 1\.\.1024, not 0"),
        ({"queue": 1}, r"ReaderTiming.queue must be an integer in 2\.\.4096, not 1"),
        ({"period": 8, "gap": 8}, r"ReaderTiming.gap must leave words in a period, 0\.\.7, not 8"),
    ],
)
def test_readers_that_are_none(fields: dict[str, int], message: str) -> None:
    with pytest.raises(InputError, match=message):
        ReaderTiming(**fields)
