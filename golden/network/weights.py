"""The stream of weights: a plain sequence of words that a reader repeats for each inference.

For each pass a header, the number of its inputs; then input by input, cluster by cluster, the weights of
the cluster's lanes, the first in the low bits, in `NetworkConfig.weight_pieces` words, the low bits first.
"""

import numpy as np
from numpy.typing import NDArray

from golden.network.compiler import Program
from golden.network.config import NetworkConfig


def pass_words(program: Program, config: NetworkConfig) -> NDArray[np.int64]:
    """Words of every pass, its header included."""
    inputs = np.array([op.inputs for op in program.linear], np.int64)
    return 1 + inputs * config.clusters * config.weight_pieces


def weight_words(program: Program, config: NetworkConfig) -> NDArray[np.uint64]:
    """The words of an inference, uint64 [words]."""
    bits, wide, pieces = config.weight_bits, config.weight_stream, config.weight_pieces
    # bits of every cluster's weights, the low ones first: [words, clusters, pieces, bits of a piece]
    found = np.unpackbits(
        program.weights.astype(np.uint8)[..., None], axis=-1, count=bits, bitorder="little"
    ).reshape(-1, config.clusters, config.cluster * bits)
    spare = pieces * wide - config.cluster * bits
    whole = np.pad(found, ((0, 0), (0, 0), (0, spare))).reshape(-1, config.clusters, pieces, wide)
    octets = np.packbits(whole, axis=-1, bitorder="little")
    words = np.zeros((*octets.shape[:-1], 8), np.uint8)
    words[..., : octets.shape[-1]] = octets
    body = words.view("<u8").astype(np.uint64).reshape(len(program.weights), -1)
    parts: list[NDArray[np.uint64]] = []
    for op in program.linear:
        parts += [np.array([op.inputs], np.uint64), body[op.weight : op.weight + op.inputs].reshape(-1)]
    return np.concatenate(parts)
