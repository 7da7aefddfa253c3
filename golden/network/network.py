"""A spiking network: a list of integer layers, checked when it is made, and what they compute.

Layers run in order over named tensors (`golden.network.tensors`).
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from golden.attention.job import compute
from golden.code import PhaseCode, Spikes, check_range, encode
from golden.errors import InputError
from golden.network.checks import check_code
from golden.network.limits import (
    LEAST_WEIGHT_BITS,
    MAX_FEATURES,
    MAX_TOKENS,
    MOST_WEIGHT_BITS,
    POTENTIAL_BITS,
    STREAM_BITS,
)
from golden.network.tensors import IMAGE, SCORES, AttentionEngine, Layer, Output, Run, Shapes


@dataclass(frozen=True, kw_only=True, eq=False)
class Network:
    """Integers of a whole network.

    Attributes:
        code: the phase code of every spike.
        weight_bits: width of a weight, 2..8.
        tokens: rows of every tensor.
        pixels: inputs per token.
        image_scale: what a spike of phase 0 of the image stands for; images are in units of it.
        layers: in order of execution (`golden.network.layers`).

    Raises:
        InputError: layers do not connect, a size or integer is out of range.
    """

    code: PhaseCode
    weight_bits: int
    tokens: int
    pixels: int
    image_scale: float
    layers: tuple[Layer, ...]

    def __post_init__(self) -> None:
        check_range("Network.weight_bits", self.weight_bits, LEAST_WEIGHT_BITS, MOST_WEIGHT_BITS)
        check_range("Network.tokens", self.tokens, 1, MAX_TOKENS)
        check_range("Network.pixels", self.pixels, 1, MAX_FEATURES)
        check_code("Network.code", self.code)
        if not (np.isfinite(self.image_scale) and self.image_scale > 0):
            raise InputError(f"Network.image_scale must be positive and finite, not {self.image_scale}")
        self.shapes()

    @property
    def classes(self) -> int:
        return self.shapes().classes

    def shapes(self) -> Shapes:
        """Shapes of all tensors, and proven bounds of integers over all inputs.

        Raises:
            InputError: the layers do not connect or a bound leaves its word (`golden.network.limits`).
        """
        if not self.layers:
            raise InputError("a network must have at least one layer")
        shapes = Shapes(self.code, self.weight_bits, {IMAGE: (self.tokens, self.pixels)})
        for index, layer in enumerate(self.layers):
            layer.check(f"layer {index}", shapes)
            if (layer.target == SCORES) != (index == len(self.layers) - 1):
                raise InputError(f"layer {index}: the last layer, and no other, must make {SCORES!r}")
        for what, bound, bits in (
            ("potential", shapes.potential, POTENTIAL_BITS),
            ("residual stream", shapes.residual, STREAM_BITS),
        ):
            if bound.bit_length() + 1 > bits:
                raise InputError(
                    f"the {what} must fit {bits} bits, not {bound.bit_length() + 1} (it can reach {bound})"
                )
        return shapes


def encode_image(network: Network, patches: NDArray[np.floating]) -> Spikes:
    """Spikes [..., tokens, pixels] of pixel values.

    Raises:
        InputError: wrong shape, NaN or infinity.
    """
    patches = np.asarray(patches, dtype=np.float64)
    if patches.shape[-2:] != (network.tokens, network.pixels):
        wanted = f"[..., {network.tokens}, {network.pixels}]"
        raise InputError(f"an image must give {wanted} pixel values, not {list(patches.shape)}")
    if not np.isfinite(patches).all():
        raise InputError("an image must be finite, it holds NaN or infinity")
    return encode(patches, network.image_scale, network.code)


@dataclass(frozen=True)
class Activity:
    """Everything that a network computed, per layer: spikes, the stream after it, or class scores."""

    outputs: list[Output]

    @property
    def scores(self) -> NDArray[np.int64]:
        scores = self.outputs[-1]
        assert isinstance(scores, np.ndarray)
        return scores


def run_network(
    network: Network,
    image: Spikes,
    engine: AttentionEngine = compute,
    after_sum: Callable[[NDArray[np.int64]], NDArray[np.int64]] = lambda stream: stream,
) -> Activity:
    """Run images through all layers.

    Args:
        image: spikes [images, tokens, pixels].
        engine: what computes attention.
        after_sum: what becomes of the stream after each sum; see `golden.network.recode`.

    Returns:
        Outputs of every layer, int64 [images, tokens, width] for the stream, [images, classes] for scores.
    """
    run = Run(network.code, engine, after_sum, {IMAGE: image})
    return Activity([layer.run(run) for layer in network.layers])
