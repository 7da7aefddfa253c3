"""Random networks whose channels are large and lie close to each other, so that all of a mean is seen."""

from contextlib import suppress
from dataclasses import replace

import numpy as np

from golden.errors import InputError
from golden.network.config import NetworkConfig
from golden.network.layers import StreamLinear
from golden.network.network import Network
from golden.network.program import check_fit
from golden.network.tensors import Layer


def leaning(network: Network, config: NetworkConfig, rng: np.random.Generator) -> Network:
    """The network with the same, of either sign, added to all channels by every layer that adds to the
    stream, and as much of it as the core takes."""
    sign = int(rng.choice([-1, 1]))
    for bits in range(config.stream_bits, 2, -1):
        layers = tuple(_more(layer, sign * 3 << bits) for layer in network.layers)
        with suppress(InputError):
            made = replace(network, layers=layers)
            check_fit(made, config)
            return made
    return network


def _more(layer: Layer, common: int) -> Layer:
    """With what is added more by that, but where a shift leaves next to nothing of potentials."""
    if not isinstance(layer, StreamLinear):
        return layer
    more = np.where(layer.shift < 24, common << np.minimum(layer.shift, 24), 0)
    return replace(layer, bias=layer.bias + more)
