"""A spiking network: a list of integer layers, checked when it is made, and what they compute.

Layers run in order over named tensors. Names that mean something: "image", the spikes that enter;
"stream", the residual stream, one integer per token and channel kept in the membrane; "scores",
the class scores that leave.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from golden.attention.job import AttentionJob, AttentionSpikes, compute
from golden.code import PhaseCode, Spikes, check_range, encode
from golden.errors import InputError
from golden.network.checks import (
    MAX_FEATURES,
    POTENTIAL_BITS,
    STREAM_BITS,
    check_attention,
    check_code,
    check_linear,
    check_norm,
)
from golden.network.layers import (
    IMAGE,
    SCORES,
    STREAM,
    Attention,
    Layer,
    Linear,
    Norm,
    most_octaves,
    normalise,
    potentials,
    spike_values,
    stream_terms,
)
from golden.network.octave import fire

AttentionEngine = Callable[[AttentionJob], AttentionSpikes]
MAX_TOKENS = 64


@dataclass(frozen=True, kw_only=True, eq=False)
class Network:
    """Integers of a whole network.

    Attributes:
        code: the phase code of every spike.
        weight_bits: width of a weight, 2..8.
        tokens: rows of every tensor.
        pixels: inputs per token.
        image_scale: what a spike of phase 0 of the image stands for; images are in units of it.
        layers: in order of execution.

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
        check_range("Network.weight_bits", self.weight_bits, 2, 8)
        check_range("Network.tokens", self.tokens, 1, MAX_TOKENS)
        check_range("Network.pixels", self.pixels, 1, MAX_FEATURES)
        check_code("Network.code", self.code)
        if not (np.isfinite(self.image_scale) and self.image_scale > 0):
            raise InputError(f"Network.image_scale must be positive and finite, not {self.image_scale}")
        self.limits()

    @property
    def classes(self) -> int:
        return len(self._scores.weight)

    @property
    def _scores(self) -> Linear:
        last = self.layers[-1]
        assert isinstance(last, Linear)
        return last

    def limits(self) -> tuple[int, int, int]:
        """Proven bounds: largest accumulator, potential and stream magnitude, over all inputs.

        Raises:
            InputError: the layers do not connect or a bound leaves the words above.
        """
        if not self.layers:
            raise InputError("a network must have at least one layer")
        widths = {IMAGE: self.pixels}
        accumulator = potential = stream = 0
        peak = int(spike_values(self.code)[0])
        for index, layer in enumerate(self.layers):
            name = f"layer {index}"
            if isinstance(layer, Linear):
                check_linear(layer, name, self, widths)
                rows = self.tokens if layer.pooled else 1
                added = np.abs(layer.weight.astype(np.int64)).sum(axis=1) * rows
                bound = added * peak + np.abs(layer.bias)
                accumulator = max(accumulator, int(added.max()) << most_octaves(self.code))
                potential = max(potential, int(bound.max()))
                if layer.target == STREAM:
                    terms = int(stream_terms(layer, bound).max()) + 1
                    stream = terms if layer.fresh else stream + terms
                widths[layer.target] = len(layer.weight)
            elif isinstance(layer, Norm):
                check_norm(layer, name, self, widths)
                widths[layer.target] = len(layer.offset)
            else:
                check_attention(layer, name, self, widths)
                widths[layer.target] = widths[layer.source] // 3
        if not (isinstance(self.layers[-1], Linear) and self.layers[-1].target == SCORES):
            raise InputError(f"the last layer must be linear with target {SCORES!r}")
        for what, bound, bits in (
            ("potential", potential, POTENTIAL_BITS),
            ("residual stream", stream, STREAM_BITS),
        ):
            if bound.bit_length() + 1 > bits:
                raise InputError(
                    f"the {what} must fit {bits} bits, not {bound.bit_length() + 1} (it can reach {bound})"
                )
        return accumulator, potential, stream


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


def attention_job(layer: Attention, qkv: Spikes, code: PhaseCode) -> AttentionJob:
    """Job of [images*heads] heads of spikes [images, tokens, 3*heads*head_dim]; heads vary fastest."""
    images, tokens, width = qkv.shape
    split = (images, tokens, 3, layer.heads, width // 3 // layer.heads)

    def part(array: NDArray[np.int8], index: int) -> NDArray[np.int8]:
        heads_first = array.reshape(split)[:, :, index].swapaxes(1, 2)
        return heads_first.reshape(-1, tokens, split[-1])

    q, k, v = (Spikes(part(qkv.sign, i), part(qkv.phase, i)) for i in range(3))
    return AttentionJob(
        code=code, window=code.steps, q=q, k=k, v=v, bias=None, allowed=None,
        ramp_step=np.tile(layer.ramp_step, images), ratio=np.tile(layer.ratio, (images, 1)),
    )  # fmt: skip


def merge_heads(out: Spikes, images: int, heads: int) -> Spikes:
    """Spikes [images, tokens, heads*head_dim] of output spikes [images*heads, tokens, head_dim]."""
    _, tokens, head_dim = out.shape

    def merge(array: NDArray[np.int8]) -> NDArray[np.int8]:
        return array.reshape(images, heads, tokens, head_dim).swapaxes(1, 2).reshape(images, tokens, -1)

    return Spikes(merge(out.sign), merge(out.phase))


@dataclass(frozen=True)
class Activity:
    """Everything that a network computed, per layer: spikes, the stream after it, or class scores."""

    outputs: list[Spikes | NDArray[np.int64]]

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
    tensors: dict[str, Spikes] = {IMAGE: image}
    stream: NDArray[np.int64] = np.zeros(0, np.int64)
    outputs: list[Spikes | NDArray[np.int64]] = []
    for layer in network.layers:
        if isinstance(layer, Attention):
            job = attention_job(layer, tensors[layer.source], network.code)
            tensors[layer.target] = merge_heads(engine(job).out, image.shape[0], layer.heads)
            outputs.append(tensors[layer.target])
        elif isinstance(layer, Norm):
            tensors[layer.target] = normalise(layer, stream, network.code)
            outputs.append(tensors[layer.target])
        else:
            potential = potentials(layer, tensors[layer.source], network.code)
            if layer.target == STREAM:
                terms = stream_terms(layer, potential)
                stream = after_sum(terms if layer.fresh else stream + terms)
                outputs.append(stream)
            elif layer.target == SCORES:
                outputs.append(potential)
            else:
                tensors[layer.target] = fire(
                    potential, layer.levels, layer.offset, network.code, signed=layer.signed
                )
                outputs.append(tensors[layer.target])
    return Activity(outputs)
