"""Conversion without retraining: a float transformer and calibration images become a `Network`.

Source: SpikedAttention (NeurIPS 2024), section 3.4. Scales are the largest magnitudes on the
calibration images, per channel for norms and hidden neurons (folded into the weights that read
them), per head for q, k, v and attention outputs. Everything that is rounded to make the integers
of a network is rounded here.
"""

import math
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from golden.attention.job import score_unit
from golden.attention.normaliser import bounded_output_scale, output_ratio
from golden.attention.woss import ramp_step
from golden.code import PhaseCode
from golden.errors import InputError
from golden.inputs import check_array
from golden.network.layers import Attention, Norm, ScoreLinear, SpikingLinear, StreamLinear
from golden.network.limits import MAX_SHIFT, POTENTIAL_BITS
from golden.network.network import Network
from golden.network.neuron import LINEAR_FRACTION_BITS, most_octaves
from golden.network.octave import geometric_levels, resolution
from golden.network.tensors import IMAGE, Layer
from models.floating.encoder import Block
from models.floating.engine import Linear as Dense
from models.floating.engine import Ranges, RecordingEngine
from models.floating.functions import ACTIVATIONS, Activation
from models.floating.functions import Norm as FloatNorm
from models.floating.vit import Vit

# Bits of the stream at the largest calibrated value; the rest of its word is headroom that is proven
STREAM_UNIT_BITS = 17
Array = NDArray[np.float64]


def positive(largest: NDArray[np.floating]) -> Array:
    """Largest magnitudes as scales: a channel that is always zero gets one all the same."""
    return np.where(largest > 0, largest, max(float(largest.max()), 1e-3))


class Converter:
    """Layers of one network under construction, and how to make them."""

    def __init__(self, ranges: Ranges, code: PhaseCode, weight_bits: int) -> None:
        self.ranges, self.code = ranges, code
        self.largest_weight = (1 << (weight_bits - 1)) - 1
        self.points = resolution(code.log2_base)
        self.one = 1 << (LINEAR_FRACTION_BITS + most_octaves(code))
        stream = positive(np.concatenate(list(ranges.stream.values()))).max()
        self.stream_unit = float(stream) / (1 << STREAM_UNIT_BITS)
        self.layers: list[Layer] = []

    def _row_units(self, weight: Array) -> Array:
        """Smallest weight unit per output with which the weights fit."""
        largest = np.abs(weight).max(axis=1)
        return np.where(largest > 0, largest, 1.0) / self.largest_weight

    def _integers(
        self, weight: Array, bias: Array, units: Array
    ) -> tuple[NDArray[np.int16], NDArray[np.int64]]:
        integer = np.floor(weight / units[:, None] + 0.5).astype(np.int16)
        addend = np.floor(bias / (units / self.one) + 0.5)
        if not (np.abs(addend) < 1 << POTENTIAL_BITS).all():
            raise InputError(
                f"biases must fit potentials of {POTENTIAL_BITS} bits beside the weights, "
                f"one is {np.abs(addend).max():.3g} units"
            )
        return integer, addend.astype(np.int64)

    def spikes(
        self,
        source: str,
        target: str,
        weight: Array,
        bias: Array,
        scale: Array,
        activation: Activation | None = None,
    ) -> Array:
        """Append a layer whose neurons fire; returns the exact scales of its outputs.

        Args:
            weight: [outputs, inputs], input scales folded in.
            scale: [outputs], wished value of a spike of phase 0.
            activation: of the neurons, which then fire for positive potentials only. Without one, or with
                a linear one, ratios are kept and each output has its own grid; else one list serves all,
                in units of its first threshold.
        """
        code, theta = self.code, self.code.threshold_shift
        if activation is not None and not activation.linear:
            scale = np.full_like(scale, scale.max())
            wanted = theta * scale[0] * code.base ** -np.arange(code.steps)
            thresholds = np.array([invert(activation.function, y) for y in wanted])
            levels = np.floor(self.points * np.log2(thresholds / thresholds[0]) + 0.5).astype(np.int64)
            first = np.full_like(scale, thresholds[0])
        else:
            levels, first = geometric_levels(code), theta * scale
        # unit * 2**(offset/R) is the first threshold exactly; the unit grows by less than 2**(1/R)
        offset = np.floor(self.points * np.log2(first / (self._row_units(weight) / self.one))).astype(
            np.int64
        )
        units = np.asarray(first * 2.0 ** (-offset / self.points) * self.one, dtype=np.float64)
        integer, addend = self._integers(weight, bias, units)
        self.layers.append(
            SpikingLinear(source=source, target=target, weight=integer, bias=addend, offset=offset,
                   levels=levels, signed=activation is None)
        )  # fmt: skip
        return scale

    def stream(self, source: str, weight: Array, bias: Array, *, fresh: bool = False) -> None:
        """Append a layer that adds to the residual stream; its unit is the stream's, shifted per output."""
        shift = np.floor(np.log2(self.stream_unit * self.one / self._row_units(weight))).astype(np.int64)
        shift = np.minimum(shift, MAX_SHIFT)
        units = np.asarray(self.stream_unit * self.one * 2.0**-shift, dtype=np.float64)
        integer, addend = self._integers(weight, bias, units)
        self.layers.append(StreamLinear(source=source, weight=integer, bias=addend, shift=shift, fresh=fresh))

    def norm(self, name: str, norm: FloatNorm) -> Callable[[Dense], tuple[Array, Array]]:
        """Append a norm; returns a function that folds it into the dense layer it is given."""
        unit = self.stream_unit if norm.kind == "fixed" else math.sqrt(len(norm.weight))
        offset, scale = norm_places(norm.kind, positive(self.ranges.norm[name]), unit, self.code)
        self.layers.append(
            Norm(target="norm", kind=norm.kind, offset=offset, levels=geometric_levels(self.code))
        )

        def fold(layer: Dense) -> tuple[Array, Array]:
            return layer.weight * (norm.weight * scale), bias_of(layer) + layer.weight @ norm.bias

        return fold

    def attention(self, name: str, block: Block) -> Array:
        """Append q, k, v and attention of a block; returns the output scales, per channel."""
        weight, bias = self.norm(f"{name}.norm1", block.norm1)(stacked(block.query, block.key, block.value))
        heads, head_dim = block.heads, len(weight) // 3 // block.heads
        q, k, v, o = (positive(x) for x in self.ranges.attention[f"{name}.attention"].max(axis=-1))
        o = bounded_output_scale(o, v)
        self.spikes("norm", "qkv", weight, bias, np.repeat(np.concatenate([q, k, v]), head_dim))
        steps = [ramp_step(score_unit(q[h], k[h], head_dim, self.code), self.code) for h in range(heads)]
        ratio = np.stack([output_ratio(o[h], v[h], self.code) for h in range(heads)])
        self.layers.append(
            Attention(
                source="qkv", target="mixed", heads=heads, ramp_step=np.array(steps, np.int64), ratio=ratio
            )
        )
        return np.repeat(o, head_dim)


def bias_of(layer: Dense) -> Array:
    """Bias of a dense layer, zeros where it has none."""
    return np.zeros(len(layer.weight)) if layer.bias is None else layer.bias.astype(np.float64)


def stacked(*layers: Dense) -> Dense:
    """Dense layers of the same inputs as one."""
    return Dense(
        weight=np.concatenate([layer.weight for layer in layers]),
        bias=np.concatenate([bias_of(layer) for layer in layers]),
    )


def norm_places(kind: str, wished: Array, unit: float, code: PhaseCode) -> tuple[NDArray[np.int64], Array]:
    """Places of the first thresholds of a norm, and the scales that they stand for exactly.

    Args:
        kind: of the norm.
        wished: value of a spike of phase 0 per channel; for rms and layer in units of the row's deviation.
        unit: of the stream for "fixed", else the square root of the width.
        code: of the spikes.
    """
    points = resolution(code.log2_base)
    # rms: |x| * sqrt(width) / sqrt(sum x**2) >= theta*scale*B**-p. The deviation is estimated half
    # a grid point low on average (`golden.network.norm`).
    centre = 0.0 if kind == "fixed" else 0.5
    place = points * np.log2(code.threshold_shift * wished / unit) + centre
    offset = np.floor(place + 0.5).astype(np.int64)
    return offset, wished * 2.0 ** ((offset - place) / points)


def invert(function: Callable[[NDArray[np.floating]], NDArray[np.floating]], value: float) -> float:
    """x >= 0 with function(x) = value > 0, for a function that rises there; by bisection."""
    low, high = 0.0, 1.0
    while function(np.array(high)) < value:
        high *= 2
    for _ in range(80):
        middle = (low + high) / 2
        low, high = (middle, high) if function(np.array(middle)) < value else (low, middle)
    return high


def check_expressible(network: Vit) -> None:
    """Refuse what the integer network cannot say.

    Raises:
        InputError: a token beside the patches, another place of a norm, no head, a layer scale.
    """
    reasons = {
        "tokens beside the patches": len(network.first) > 0,
        "a pooling other than the mean over normalised patches": network.pooling != "mean"
        or network.pool_first,
        "no classifier": network.head is None,
        "norms after the sums": not all(block.norm_first for block in network.blocks),
        "a norm before the blocks": network.entry_norm is not None,
        "norms of queries and keys": any(block.query_norm is not None for block in network.blocks),
        "layer scales": any(
            gain is not None for block in network.blocks for gain in (block.gain1, block.gain2)
        ),
    }
    for reason, found in reasons.items():
        if found:
            raise InputError(f"a network of integers must not have {reason}; this one has")


def convert(network: Vit, images: NDArray[np.floating], code: PhaseCode, weight_bits: int = 8) -> Network:
    """Integers of a spiking network.

    Args:
        network: trained float network.
        images: calibration images [n, side, side], not those of a test.
        code: phase code of every spike.
        weight_bits: width of a weight.

    Raises:
        InputError: bad images, a network that the integers cannot express, or integers that leave the words
            of `golden.network.network`.
    """
    check_expressible(network)
    recorder = RecordingEngine()
    network.run(check_array("images", images, (3,))[:, None], recorder)
    ranges = recorder.ranges
    image_scale = float(ranges.linear["embedding"].max())
    if image_scale == 0:
        raise InputError("calibration images must not all be zero")
    make, embedding, head = Converter(ranges, code, weight_bits), network.embedding, network.head
    assert head is not None
    make.stream(
        IMAGE,
        (embedding.weight * image_scale).astype(np.float64),
        bias_of(embedding) + network.positions.astype(np.float64),
        fresh=True,
    )
    for index, block in enumerate(network.blocks):
        name = f"block{index}"
        scale = make.attention(name, block)
        make.stream("mixed", block.projection.weight * scale, bias_of(block.projection))
        weight, bias = make.norm(f"{name}.norm2", block.norm2)(block.mlp1)
        read = f"{name}.mlp2"
        scale = make.spikes(
            "norm", "hidden", weight, bias, positive(ranges.linear[read]), ACTIVATIONS[block.activation]
        )
        # A potential below zero keeps a neuron silent; the mean of what that loses goes into the next bias
        lobe = block.mlp2.weight @ ranges.negative_mean(read)
        make.stream("hidden", block.mlp2.weight * scale, bias_of(block.mlp2) + lobe)
    weight, bias = make.norm("norm", network.norm)(head)
    tokens = len(network.positions)
    # scores are sums over tokens, in one unit for all classes
    units = np.full(len(weight), make._row_units(weight).max())
    integer, addend = make._integers(weight, bias * tokens, units)
    make.layers.append(ScoreLinear(source="norm", weight=integer, bias=addend))
    return Network(
        code=code, weight_bits=weight_bits, tokens=tokens, width=embedding.weight.shape[1],
        scale=image_scale, layers=tuple(make.layers),
    )  # fmt: skip
