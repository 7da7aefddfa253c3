"""The stream of weights: a plain sequence of words that a reader repeats for each inference.

For each pass two words, the number of its inputs and that of its neurons. Then input by input, cluster
by cluster, the weights of the cluster's lanes, the first in the low bits, in `NetworkConfig.weight_pieces`
words, the low bits first; then its entries of the neuron table in `neuron_pieces` words each, packed the
same way.
"""

import numpy as np
from numpy.typing import NDArray

from golden.descriptors import words
from golden.network.compiler import Program
from golden.network.config import NetworkConfig
from golden.network.descriptors import Neuron, slot_word

HEADER = 2


def neuron_bits(config: NetworkConfig) -> int:
    """Bits of an entry of the neuron table."""
    return sum(word.bits for word in words(Neuron, config).values())


def neuron_pieces(config: NetworkConfig) -> int:
    """Words of the stream that hold an entry of the neuron table."""
    return -(-neuron_bits(config) // config.weight_stream)


def pass_words(program: Program, config: NetworkConfig) -> NDArray[np.int64]:
    """Words of every pass, its header included."""
    counts = np.array([(op.inputs, op.neurons) for op in program.linear], np.int64)
    return HEADER + counts @ np.array([config.clusters * config.weight_pieces, neuron_pieces(config)])


def weight_words(program: Program, config: NetworkConfig) -> NDArray[np.uint64]:
    """The words of an inference, uint64 [words]."""
    lanes = _in_words(_bits(program.weights, config.weight_bits), config.clusters, config.weight_stream)
    table = np.column_stack([program.table[:, :2], slot_word(program.table[:, 2], config)])
    widths = [word.bits for word in words(Neuron, config).values()]
    fields = [_bits(column[:, None], width) for column, width in zip(table.T, widths, strict=True)]
    neurons = _in_words(np.concatenate(fields, axis=1), 1, config.weight_stream)
    parts: list[NDArray[np.uint64]] = []
    for op in program.linear:
        parts += [
            np.array([op.inputs, op.neurons], np.uint64),
            lanes[op.weight : op.weight + op.inputs].reshape(-1),
            neurons[op.table : op.table + op.neurons].reshape(-1),
        ]
    return np.concatenate(parts)


def _bits(values: NDArray[np.integer], width: int) -> NDArray[np.uint8]:
    """The low bits of integers [n, m], two's complement, the low ones first: [n, m*width]."""
    octets = np.ascontiguousarray(values, "<i8").view(np.uint8).reshape(*values.shape, 8)
    return np.unpackbits(octets, axis=-1, count=width, bitorder="little").reshape(len(values), -1)


def _in_words(bits: NDArray[np.uint8], groups: int, wide: int) -> NDArray[np.uint64]:
    """Bits [n, m] in words of `wide` bits, each of `groups` equal parts beginning a word: [n, words]."""
    apart = bits.reshape(len(bits), groups, -1)
    pieces = -(-apart.shape[-1] // wide)
    whole = np.pad(apart, ((0, 0), (0, 0), (0, pieces * wide - apart.shape[-1])))
    octets = np.packbits(whole.reshape(len(bits), groups * pieces, wide), axis=-1, bitorder="little")
    padded = np.zeros((*octets.shape[:-1], 8), np.uint8)
    padded[..., : octets.shape[-1]] = octets
    return padded.view("<u8")[..., 0].astype(np.uint64)
