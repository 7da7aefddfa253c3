"""Every integer of a network that its core's taps show, by golden."""

from dataclasses import dataclass
from itertools import islice

import numpy as np
from numpy.typing import NDArray

from golden.code import Spikes
from golden.network.compiler import Program
from golden.network.descriptors import feature_of
from golden.network.layers import Attention, Linear
from golden.network.network import Network, run_network
from golden.network.rows import gathered
from golden.network.tensors import IMAGE


@dataclass(frozen=True, kw_only=True)
class NetworkIntegers:
    """What a network core computes, per image in the order of the hardware.

    Attributes:
        potential: int64 [images, n], every neuron of the linear layers; None without taps.
        norm, mixed: spikes [images, n], of norms and attention; None without taps.
        scores: int64 [images, classes], not pooled [images, rows, classes].
    """

    potential: NDArray[np.int64] | None = None
    norm: Spikes | None = None
    mixed: Spikes | None = None
    scores: NDArray[np.int64]


def golden_neurons(
    network: Network, program: Program, image: Spikes | NDArray[np.int64]
) -> tuple[NetworkIntegers, NDArray[np.int64]]:
    """What golden says the taps show of images [images, tokens, width].

    Returns:
        The integers, and the cycles in which a spike (or a silent row) is broadcast, int64 [images].
    """
    outputs = run_network(network, image).outputs
    tensors = {IMAGE: image} if isinstance(image, Spikes) else {}
    ops, heads = iter(program.linear), iter(program.attention)
    images = image.shape[0]
    broadcasts = np.zeros(images, np.int64)
    shown: list[NDArray[np.int64]] = []
    norms: list[Spikes] = []
    mixed: list[Spikes] = []
    for layer, output in zip(network.layers, outputs, strict=True):
        if isinstance(layer, Linear):
            inputs = gathered(tensors[layer.source], layer.gather, network.code.steps)
            value = layer.potentials(inputs, network.code)
            left = layer.outputs
            while left:
                op = next(ops)
                slot = program.table[op.table : op.table + op.outputs, 2]
                part, feature = feature_of(slot)
                shown.append(value[..., part * (layer.outputs // 3) + feature].reshape(images, -1))
                left -= op.outputs
                spikes = np.count_nonzero(inputs.sign, axis=-1)
                broadcasts += op.passes * np.maximum(spikes, 1).sum(axis=-1)
        elif isinstance(layer, Attention):
            assert isinstance(output, Spikes)
            for head in islice(heads, layer.groups * layer.heads):
                rows = slice(head.row, head.row + head.tokens)
                columns = slice(head.base, head.base + head.features)
                found = output[:, rows, columns]
                mixed.append(Spikes(found.sign.reshape(images, -1), found.phase.reshape(images, -1)))
        else:
            assert isinstance(output, Spikes)
            norms.append(Spikes(output.sign.reshape(images, -1), output.phase.reshape(images, -1)))
        if isinstance(output, Spikes):
            tensors[layer.target] = output
    potential, scores = np.concatenate(shown, axis=1), outputs[-1]
    assert not isinstance(scores, Spikes)
    integers = NetworkIntegers(
        potential=potential,
        norm=joined(norms),
        mixed=joined(mixed),
        scores=scores,
    )
    return integers, broadcasts


def joined(parts: list[Spikes]) -> Spikes:
    return Spikes(
        np.concatenate([p.sign for p in parts], axis=1), np.concatenate([p.phase for p in parts], axis=1)
    )
