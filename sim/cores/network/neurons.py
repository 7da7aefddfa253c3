"""Every integer of a network that its core's taps show, by golden."""

from dataclasses import dataclass
from itertools import islice

import numpy as np
from numpy.typing import NDArray

from golden.code import Spikes
from golden.network.attention import Attention
from golden.network.blocks import spikes_read
from golden.network.compiler import Program
from golden.network.config import NetworkConfig
from golden.network.descriptors import AttentionOp, LinearOp, NormOp, Target, feature_of
from golden.network.layers import Linear, ScoreLinear
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


def there(program: Program, tokens: NDArray[np.integer], name: str) -> NDArray[np.bool_]:
    """Which integers of an attribute of `NetworkIntegers` are computed, [images, n], of images of so many
    tokens each; the others are 0, or silent."""
    linear = [(op, 1 if op.pooled else op.rows, op.outputs) for op in program.linear]
    parts: dict[str, list[tuple[LinearOp | NormOp | AttentionOp, int, int]]] = {
        "potential": [*linear],
        "norm": [(op, op.rows, op.width) for op in program.norm],
        "mixed": [(op, op.tokens, op.features) for op in program.attention],
        "scores": [part for part in linear if part[0].target is Target.scores],
    }
    return np.concatenate([rows_there(program, tokens, *part) for part in parts[name]], axis=1)


def in_rows(program: Program, scores: NDArray[np.int64]) -> NDArray[np.int64]:
    """Scores [images, n] in the hardware's order, descriptor by descriptor, as [images, rows, classes]."""
    ops = [op for op in program.linear if op.target is Target.scores]
    sizes = [(1 if op.pooled else op.rows) * op.outputs for op in ops]
    parts = zip(np.split(scores, np.cumsum(sizes)[:-1], axis=1), ops, strict=True)
    # of no image, too, whose rows cannot be counted
    return np.concatenate(
        [part.reshape(len(scores), 1 if op.pooled else op.rows, op.outputs) for part, op in parts], axis=-1
    )


def rows_there(
    program: Program, tokens: NDArray[np.integer], op: LinearOp | NormOp | AttentionOp, rows: int, width: int
) -> NDArray[np.bool_]:
    """Which integers of the rows of a descriptor are computed, [images, rows*width]."""
    missing = (program.tokens - tokens) * (op.counted and rows > 1)  # rows that are added up make one
    return np.repeat(np.arange(rows) < rows - missing[:, None], width, axis=1)


def beside(op: LinearOp, config: NetworkConfig) -> NDArray[np.bool_]:
    """Which outputs of a descriptor leave the lanes beside another one, by the second drain."""
    drained = config.lanes // config.drains if op.target is Target.stream else config.lanes
    return np.arange(op.outputs) % config.lanes >= drained


def all_beside(program: Program, config: NetworkConfig) -> NDArray[np.bool_]:
    """The same of every potential of an image, [n]."""
    return np.concatenate([np.tile(beside(op, config), 1 if op.pooled else op.rows) for op in program.linear])


def golden_neurons(
    network: Network,
    program: Program,
    image: Spikes | NDArray[np.int64],
    tokens: NDArray[np.integer] | None = None,
) -> tuple[NetworkIntegers, NDArray[np.int64]]:
    """What golden says the taps show of images [images, tokens, width], of `tokens` each; None for all.

    Returns:
        The integers, and the cycles in which a spike (or a silent row) is broadcast, int64 [images].
    """
    outputs = run_network(network, image, tokens=tokens).outputs
    tensors = {IMAGE: image} if isinstance(image, Spikes) else {}
    ops, heads = iter(program.linear), iter(program.attention)
    images = image.shape[0]
    counts = np.full(images, network.tokens) if tokens is None else tokens
    broadcasts = np.zeros(images, np.int64)
    shown: list[NDArray[np.int64]] = []
    norms: list[Spikes] = []
    mixed: list[Spikes] = []
    for layer, output in zip(network.layers, outputs, strict=True):
        if isinstance(layer, Linear):
            inputs = gathered(tensors[layer.source], layer.gather, network.code.steps)
            value = layer.potentials(inputs, network.code)
            if isinstance(layer, ScoreLinear):  # potentials of the rows that are there
                assert not isinstance(output, Spikes)
                value = output
            left = layer.outputs
            while left:
                op = next(ops)
                slot = program.table[op.table : op.table + op.outputs, 2]
                part, feature = feature_of(slot)
                shown.append(value[..., part * (layer.outputs // 3) + feature].reshape(images, -1))
                left -= op.outputs
                spikes = np.maximum(spikes_read(op, program.blocks, inputs), 1)
                spikes[~rows_there(program, counts, op, op.rows, 1)] = 0
                broadcasts += op.passes * spikes.sum(axis=-1)
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
        potential=np.where(there(program, counts, "potential"), potential, 0),
        norm=joined(norms),
        mixed=joined(mixed),
        scores=scores,
    )
    return integers, broadcasts


def joined(parts: list[Spikes]) -> Spikes:
    return Spikes(
        np.concatenate([p.sign for p in parts], axis=1), np.concatenate([p.phase for p in parts], axis=1)
    )
