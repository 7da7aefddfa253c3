"""Hidden layers in pieces, and inferences side by side: the same integers."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from golden.code import Spikes
from golden.errors import InputError
from golden.network.layers import ScoreLinear, SpikingLinear, StreamLinear
from golden.network.network import Network, encode_image, run_network
from golden.network.program import compile_network
from golden.network.rearrange import in_pieces, side_by_side
from tests.golden.network.random_networks import Drawer
from tests.golden.network.rooms import Room
from tests.golden.network.samples import converted, random_images, random_transformer
from tests.golden.network.test_program import CODE


def sample(**shape: Any) -> tuple[Network, Spikes]:
    floating = random_transformer(1, **shape)
    network = converted(floating, random_images(2, 20), CODE)
    return network, encode_image(network, floating.entering(random_images(3, 4)[:, None]))


def test_pieces_round_less_than_a_unit_each() -> None:
    network, image = sample(hidden=30, blocks=2)
    parts = in_pieces(network, 8)
    hidden = [layer for layer in parts.layers if isinstance(layer, SpikingLinear) and layer.outputs <= 8]
    assert len(hidden) == 2 * 4
    whole, cut = (run_network(n, image).outputs for n in (network, parts))
    # the first sum after the first hidden layer
    number = next(n for n, layer in enumerate(network.layers) if getattr(layer, "outputs", 0) == 30)
    stream, summed = whole[number + 1], cut[number + 2 * 4 - 1]
    assert isinstance(stream, np.ndarray)
    assert isinstance(summed, np.ndarray)
    assert 0 < np.abs(summed - stream).max() < 4
    # pieces that are the layer are the layer
    same = in_pieces(network, 30)
    assert all(a is b for a, b in zip(same.layers, network.layers, strict=True))


def test_the_first_piece_goes_before_sums_of_what_it_reads() -> None:
    """Neurons take the rows of a norm as they come, sums wait for the last: the order of sums stays."""
    network, image = sample(hidden=30, blocks=1)
    number = next(n for n, layer in enumerate(network.layers) if getattr(layer, "outputs", 0) == 30)
    hidden, added = network.layers[number : number + 2]
    assert isinstance(hidden, SpikingLinear)
    assert isinstance(added, StreamLinear)
    width = hidden.weight.shape[1]
    beside = replace(
        added, source=hidden.source, weight=np.ones((added.outputs, width), np.int64), fresh=False
    )
    layers = (*network.layers[: number + 1], beside, *network.layers[number + 1 :])
    cut = in_pieces(replace(network, layers=layers), 16)
    assert [layer.source for layer in cut.layers[number : number + 5]] == [
        hidden.source, beside.source, hidden.target, hidden.source, hidden.target
    ]  # fmt: skip
    assert isinstance(cut.layers[number], SpikingLinear)
    last = (
        replace(network, layers=layers),
        replace(network, layers=(*layers[:number], beside, hidden, *layers[number + 2 :])),
    )
    scores = [run_network(in_pieces(one, 16), image).scores for one in last]
    assert np.array_equal(*scores)


def test_pieces_are_exact_where_nothing_is_rounded() -> None:
    """Shifts of zero: sums of integers in another order."""
    network, image = sample(hidden=30, blocks=1)
    layers = [
        replace(layer, shift=0 * layer.shift, weight=np.sign(layer.weight))
        if hasattr(layer, "shift")
        else layer
        for layer in network.layers
    ]
    unrounded = replace(network, layers=tuple(layers))
    scores = [run_network(n, image).scores for n in (unrounded, in_pieces(unrounded, 7))]
    assert np.array_equal(*scores)


@pytest.mark.parametrize("seed", range(12))
def test_rows_side_by_side_know_nothing_of_each_other(seed: int) -> None:
    """Whatever a network is made of: windows, biases, masks, rows by index, position terms."""
    rng = np.random.default_rng(seed)
    room = Room(
        code=replace(CODE, steps=6), weight_bits=5, lanes=4, tokens=5, features=6, head_dim=2, heads=2,
        wide=False, held=True, gathers=True, parts=True, windows=True, chains=True, streams=0.3,
    )  # fmt: skip
    network, image = Drawer(rng, room).draw()
    alone = run_network(network, image).scores
    count = image.shape[0]
    joined = side_by_side(network, count)
    assert joined.tokens == count * network.tokens
    together = (
        Spikes(image.sign.reshape(1, -1, network.width), image.phase.reshape(1, -1, network.width))
        if isinstance(image, Spikes)
        else image.reshape(1, -1, network.width)
    )
    found = run_network(joined, together).scores.reshape(count, -1, network.classes)
    last = network.layers[-1]
    pooled = isinstance(last, ScoreLinear) and last.pooled
    assert np.array_equal(found.sum(axis=1) + last.bias if pooled else found, alone)
    # the hardware's order of layers allows it
    compile_network(joined, 4, streamed=True)


def test_too_many_rows() -> None:
    network, _ = sample()
    with pytest.raises(InputError, match=r"side by side must be an integer in 1\.\.\d+, not 2000"):
        side_by_side(network, 2000)
