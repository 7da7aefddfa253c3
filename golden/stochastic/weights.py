"""The stream of weights of a core for stochastic networks, which a reader repeats for each image.

For each pass a word, the number of its inputs; then input by input the weights of the lanes, the first in
the low bits, in `StochasticNetworkConfig.weight_pieces` words, the low bits first.
"""

import numpy as np
from numpy.typing import NDArray

from golden.stochastic.network_config import WEIGHT_BITS, StochasticNetworkConfig
from golden.stochastic.program import Program
from golden.stream_words import to_bits, to_words

HEADER = 1


def pass_inputs(program: Program) -> list[int]:
    """Inputs of every pass."""
    return [op.inputs for op in program.layers for _ in range(op.passes)]


def words_of_pass(inputs: int, config: StochasticNetworkConfig) -> int:
    """Words of a pass of so many inputs, its header included."""
    return HEADER + inputs * config.weight_pieces


def pass_words(program: Program, config: StochasticNetworkConfig) -> list[int]:
    """Words of every pass."""
    return [words_of_pass(inputs, config) for inputs in pass_inputs(program)]


def weight_words(program: Program, config: StochasticNetworkConfig) -> NDArray[np.uint64]:
    """The words of an image, uint64 [words]."""
    lanes = to_words(to_bits(program.weights, WEIGHT_BITS), 1, config.weight_stream)
    inputs = pass_inputs(program)
    parts = np.split(lanes, np.cumsum(inputs)[:-1])
    return np.concatenate(
        [part for n, lane in zip(inputs, parts, strict=True) for part in ([np.uint64(n)], lane.reshape(-1))]
    )
