"""Blocks of a norm's row: what passes of streamed weights read, and that nothing else is missing."""

from dataclasses import replace

import numpy as np
import pytest

from golden.errors import InputError
from golden.network.blocks import largest_block, needed_blocks, of_blocks
from golden.network.descriptors import Source
from golden.network.layers import Linear, Norm
from golden.network.program import check_fit, config_for
from golden.network.weights import pass_words
from tests.golden.network.samples import converted, random_images, random_transformer
from tests.golden.network.test_program import CODE


def test_blocks_that_are_needed() -> None:
    weight = np.zeros((3, 10), np.int16)
    assert needed_blocks(weight, 4).tolist() == [0]  # a pass of no inputs there is not
    weight[1, 2], weight[2, 9] = 5, -1
    assert needed_blocks(weight, 4).tolist() == [0, 2]
    assert needed_blocks(weight, 16) is None
    kept = of_blocks(weight, np.array([0, 2]), 4)
    assert kept.shape == (3, 8)  # the last block has two features
    assert (kept[1, 2], kept[2, 5]) == (5, -1)
    assert np.count_nonzero(kept) == 2
    assert [largest_block(lanes) for lanes in (1, 7, 64)] == [1, 4, 64]


def test_a_diagonal_is_fetched_block_by_block() -> None:
    """Weights of the chosen blocks at their features are those of the layer; the rest are zeros."""
    network = converted(random_transformer(1, width=16), random_images(2, 20), CODE)
    norms = {layer.target for layer in network.layers if isinstance(layer, Norm)}
    readers = [layer for layer in network.layers if isinstance(layer, Linear) and layer.source in norms]
    layers = tuple(
        replace(layer, weight=layer.weight * (np.arange(len(layer.weight))[:, None] % 16 == np.arange(16)))
        if layer in readers
        else layer
        for layer in network.layers
    )
    diagonal = replace(network, layers=layers)
    config = config_for(diagonal, 4, weight_stream=16)
    assert config.block == 4
    assert config_for(network, 4, weight_stream=16).block == 0
    program, whole = (check_fit(diagonal, made) for made in (config, replace(config, block=0, weights=64)))
    assert pass_words(program, config).sum() < pass_words(whole, config).sum()
    for op, all_of_it in zip(program.linear, whole.linear, strict=True):
        assert op.blocks == (op.source is Source.norm)
        inputs = np.arange(op.inputs)
        if op.blocks:
            lists = program.maps[op.map :][: op.rows * (op.taps + 1)].reshape(op.rows, -1)
            assert (lists[:, 1:] == np.arange(op.rows)[:, None]).all()
            assert (lists[:-1, 0] == np.arange(op.rows - 1)).all()
            blocks = program.blocks[op.map + 1 : op.map + 1 + op.taps]
            inputs = (blocks[:, None] * 4 + np.arange(4)).reshape(-1)
        expected = whole.weights[all_of_it.weight :][: all_of_it.inputs]
        assert np.array_equal(program.weights[op.weight :][: op.inputs], expected[inputs])
        assert np.count_nonzero(np.delete(expected, inputs, axis=0)) == 0


@pytest.mark.parametrize("fields", [{"block": 3}, {"block": 4, "maps": 0, "taps": 0}])
def test_blocks_that_no_core_has(fields: dict[str, int]) -> None:
    config = config_for(converted(random_transformer(1), random_images(2, 20), CODE), 4, weight_stream=16)
    streamed = replace(config, maps=4, taps=2)
    with pytest.raises(InputError, match=r"NetworkConfig.block must be a power of two with weight_stream"):
        replace(streamed, **fields)
