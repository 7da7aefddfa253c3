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
from golden.stream_words import to_bits, to_words

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
    lanes = to_words(to_bits(program.weights, config.weight_bits), config.clusters, config.weight_stream)
    table = np.column_stack([program.table[:, :2], slot_word(program.table[:, 2], config)])
    widths = [word.bits for word in words(Neuron, config).values()]
    fields = [to_bits(column[:, None], width) for column, width in zip(table.T, widths, strict=True)]
    neurons = to_words(np.concatenate(fields, axis=1), 1, config.weight_stream)
    parts: list[NDArray[np.uint64]] = []
    for op in program.linear:
        parts += [
            np.array([op.inputs, op.neurons], np.uint64),
            lanes[op.weight : op.weight + op.inputs].reshape(-1),
            neurons[op.table : op.table + op.neurons].reshape(-1),
        ]
    return np.concatenate(parts)
