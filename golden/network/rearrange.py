"""Networks that compute the same in another order: hidden layers in pieces, inferences side by side."""

from dataclasses import replace

import numpy as np

from golden.code import check_range
from golden.errors import InputError
from golden.network.attention import Attention
from golden.network.layers import Linear, Norm, ScoreLinear, SpikingLinear, StreamLinear
from golden.network.limits import MAX_FEATURES, MAX_TOKENS
from golden.network.network import Network
from golden.network.tensors import Layer


def in_pieces(network: Network, most: int) -> Network:
    """The network with hidden layers of at most `most` neurons.

    A hidden layer of more that is read once, by a layer that adds to the stream before the next norm, becomes
    several, each of which is added before the next is made. A layer rounds what it adds once, so of n pieces
    the stream is off by less than n of its units; everything else is the same.
    """
    check_range("pieces", most, 1, MAX_FEATURES)
    layers: list[Layer] = []
    waiting: dict[int, tuple[int, SpikingLinear]] = {}
    for number, layer in enumerate(network.layers):
        reader = reader_of(network.layers, number)
        if isinstance(layer, SpikingLinear) and layer.outputs > most and reader is not None:
            between = network.layers[number + 1 : reader]
            # Neurons take the rows of a norm as they come, sums may wait for the last: where both read the
            # same these come second, else the neurons stay before who reads them
            before = all(one.source == layer.source for one in between)
            waiting[reader] = len(layers) if before else len(layers) + len(between), layer
        elif isinstance(layer, StreamLinear) and number in waiting:
            place, hidden = waiting[number]
            parts = [
                part for low in range(0, hidden.outputs, most) for part in piece(hidden, layer, low, most)
            ]
            layers[place:] = [parts[0], *layers[place:], *parts[1:]]
        else:
            layers.append(layer)
    return replace(network, layers=tuple(layers))


def reader_of(layers: tuple[Layer, ...], number: int) -> int | None:
    """Which layer adds the spikes of a layer to the stream, row by row, if nothing but such layers lies
    between and nobody else reads them."""
    name, found, between = layers[number].target, None, True
    for index, layer in enumerate(layers[number + 1 :], number + 1):
        if layer.source == name:
            adds = isinstance(layer, StreamLinear) and layer.gather is None
            if found is not None or not (between and adds):
                return None
            found = index
        between = between and isinstance(layer, StreamLinear)
        if layer.target == name:
            break
    return found


def piece(hidden: SpikingLinear, added: StreamLinear, low: int, most: int) -> tuple[Layer, Layer]:
    """Neurons `low` to `low + most` of a hidden layer, and what they add; the first bring the bias."""
    part = slice(low, low + most)
    made = replace(
        hidden, weight=hidden.weight[part], bias=hidden.bias[..., part], offset=hidden.offset[part]
    )
    if not low:
        return made, replace(added, weight=added.weight[:, part])
    return made, replace(added, weight=added.weight[:, part], bias=0 * added.bias, fresh=False)


def side_by_side(network: Network, count: int) -> Network:
    """The network for `count` inferences at once: their rows follow each other and attend their own only.

    Scores that are of all rows together leave row by row and without their bias: who reads them adds up those
    of an inference and the bias of `network`'s scores, and has what that gives.

    Raises:
        InputError: there are too many rows.
    """
    check_range("side by side", count, 1, MAX_TOKENS // network.tokens)
    rows: dict[str, int] = {network.entry: network.tokens}
    layers: list[Layer] = []
    for layer in network.layers:
        have = made = rows[layer.source]
        if isinstance(layer, Attention):
            allowed = layer.allowed
            if allowed is not None and len(allowed) > 1:
                allowed = np.tile(allowed, (count, 1, 1))
            layers.append(replace(layer, groups=layer.groups * count, allowed=allowed))
        elif isinstance(layer, Linear | Norm):
            gather = layer.gather
            if gather is not None:
                made = len(gather)
                starts = np.repeat(np.arange(count) * have, made)[:, None]
                gather = np.tile(gather, (count, 1))
                gather = np.where(gather < 0, -1, gather + starts)
            if isinstance(layer, Norm):
                layers.append(replace(layer, gather=gather))
            else:
                layers.append(repeated(replace(layer, gather=gather), made, count))
        else:
            raise InputError(f"{type(layer).__name__} knows nothing of inferences side by side")
        rows[layer.target] = made
    return replace(network, tokens=network.tokens * count, layers=tuple(layers))


def repeated(layer: Linear, rows: int, count: int) -> Linear:
    """A layer of `rows` rows for `count` times as many."""
    if isinstance(layer, ScoreLinear) and layer.pooled:
        return replace(layer, pooled=False, bias=0 * layer.bias)
    return replace(layer, bias=np.tile(layer.bias, (count, 1))) if layer.bias.ndim == 2 else layer
