"""Random networks made to what streamed weights take: blocks of zeros, rows read twice, rows in turn."""

from dataclasses import replace

import numpy as np

from golden.network.layers import Linear, Norm
from golden.network.limits import MAX_FEATURES
from golden.network.network import Network
from golden.network.order import reads_in_turn
from golden.network.tensors import Layer
from tests.golden.network.random_networks import Drawer
from tests.golden.network.rooms import Room
from tests.hw.network.compare import Entry

# Networks that are drawn for each that reads in turn
TRIES = 20


def sparse(network: Network, rng: np.random.Generator, block: int) -> Network:
    """The network with zeros in blocks of what its layers read of norms."""
    norms = {layer.target for layer in network.layers if isinstance(layer, Norm)}
    layers: list[Layer] = []
    for layer in network.layers:
        if isinstance(layer, Linear) and layer.source in norms and rng.random() < 0.8:
            outputs, inputs = layer.weight.shape
            count = -(-inputs // block)
            # neighbouring outputs need the same blocks, or a pass would need all
            kept = np.repeat(rng.random((-(-outputs // 8), count)) < 0.4, 8, axis=0)[:outputs]
            layer = replace(layer, weight=layer.weight * np.repeat(kept, block, axis=1)[:, :inputs])
        layers.append(layer)
    return replace(network, layers=tuple(layers))


def in_turn(
    networks: list[tuple[Network, Entry]], rng: np.random.Generator, room: Room
) -> list[tuple[Network, Entry]]:
    """Of so many networks and more that are drawn, those that a core runs whose memories are shared."""
    drawn = [*networks, *(Drawer(rng, room).draw() for _ in range(TRIES * len(networks)))]
    return [made for made in drawn if reads_in_turn(made[0])][: len(networks)]


def doubled(network: Network, rng: np.random.Generator) -> Network:
    """The network with "layer" norms that read each row twice, as those that make two codes of the stream."""
    layers: list[Layer] = []
    twice: dict[str, bool] = {}
    rows = {network.entry: network.tokens}
    for layer in network.layers:
        gather = layer.gather if isinstance(layer, Linear | Norm) else None
        rows[layer.target] = rows[layer.source] if gather is None else len(gather)
        if isinstance(layer, Norm):
            twice[layer.target] = chosen = bool(
                layer.kind == "layer" and gather is None and 2 * len(layer.offset) <= MAX_FEATURES
                and rng.random() < 0.7
            )  # fmt: skip
            if chosen:
                offset = np.concatenate([layer.offset, layer.offset[::-1]])
                taps = np.repeat(np.arange(rows[layer.source])[:, None], 2, axis=1)
                layer = replace(layer, offset=offset, gather=taps)
        elif isinstance(layer, Linear) and twice.get(layer.source):
            # both codes, and no more than one of them adds
            outputs, inputs = layer.weight.shape
            weight = layer.weight.reshape(outputs, 1 if gather is None else gather.shape[1], -1)
            low = rng.random(weight.shape[2]) < 0.5
            both = np.concatenate([weight * low, weight * ~low], axis=2)
            layer = replace(layer, weight=both.reshape(outputs, 2 * inputs))
        if not isinstance(layer, Norm):
            twice[layer.target] = False
        layers.append(layer)
    return replace(network, layers=tuple(layers))
