"""Conversion without retraining: a float transformer and calibration images become a `Network`.

Source: SpikedAttention (NeurIPS 2024), section 3.4. Scales are the largest magnitudes on the
calibration images, per channel for norms and hidden neurons (folded into the weights that read
them), per head for q, k, v and attention outputs. Everything that is rounded to make the integers
of a network is rounded here.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from golden.attention.job import score_unit
from golden.attention.normaliser import MIN_CALIBRATED_RATIO, output_ratio
from golden.attention.woss import ramp_step
from golden.code import PhaseCode
from golden.errors import InputError
from golden.network.layers import Attention, Norm, ScoreLinear, SpikingLinear, StreamLinear
from golden.network.limits import MAX_SHIFT, POTENTIAL_BITS
from golden.network.network import Network
from golden.network.neuron import LINEAR_FRACTION_BITS, most_octaves
from golden.network.octave import geometric_levels, resolution
from golden.network.tensors import IMAGE, Layer
from models.floating.network_vit import ACTIVATIONS, FloatTransformer

# Bits of the stream at the largest calibrated value; the rest of its word is headroom that is proven
STREAM_UNIT_BITS = 17
NORM_KIND = {"rms": "rms", "layer": "layer", "batch": "fixed"}
Array = NDArray[np.float64]


@dataclass
class Maxima:
    """Largest magnitudes of observed tensors: per channel, for q, k, v, o per head.

    `negative_mean`: what hidden neurons lose because a potential below zero keeps them silent (the
    shallow negative lobe of GELU; nothing for ReLU). Its mean goes into the next layer's bias.
    """

    largest: dict[str, Array] = field(default_factory=dict)
    negative_mean: dict[str, Array] = field(default_factory=dict)

    def observe(self, name: str, value: Array) -> None:
        if name.endswith(".hidden"):
            self.negative_mean[name] = np.minimum(value, 0).mean(axis=(0, 1))
        axes = (0, 2, 3) if value.ndim == 4 else (0, 1)
        found = np.abs(value).max(axis=axes)
        self.largest[name] = np.maximum(self.largest.get(name, np.zeros_like(found)), found)

    def __getitem__(self, name: str) -> Array:
        value = self.largest[name]
        # a channel that is always zero gets a scale all the same
        return np.where(value > 0, value, max(float(value.max()), 1e-3))


class Converter:
    """Layers of one network under construction, and how to make them."""

    def __init__(self, network: FloatTransformer, maxima: Maxima, code: PhaseCode, weight_bits: int) -> None:
        self.network, self.maxima, self.code = network, maxima, code
        self.largest_weight = (1 << (weight_bits - 1)) - 1
        self.points = resolution(code.log2_base)
        self.one = 1 << (LINEAR_FRACTION_BITS + most_octaves(code))
        self.stream_unit = float(maxima["stream"].max()) / (1 << STREAM_UNIT_BITS)
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
        self, source: str, target: str, weight: Array, bias: Array, scale: Array, activation: str = "identity"
    ) -> Array:
        """Append a layer whose neurons fire; returns the exact scales of its outputs.

        Args:
            weight: [outputs, inputs], input scales folded in.
            scale: [outputs], wished value of a spike of phase 0.
            activation: "identity" and "relu" keep ratios, so each output has its own grid; GELU has
                one list for all, in units of its first threshold.
        """
        code, theta = self.code, self.code.threshold_shift
        if activation == "gelu":
            scale = np.full_like(scale, scale.max())
            wanted = theta * scale[0] * code.base ** -np.arange(code.steps)
            thresholds = np.array([invert(ACTIVATIONS["gelu"], y) for y in wanted])
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
                   levels=levels, signed=activation == "identity")
        )  # fmt: skip
        return scale

    def stream(self, source: str, weight: Array, bias: Array, *, fresh: bool = False) -> None:
        """Append a layer that adds to the residual stream; its unit is the stream's, shifted per output."""
        shift = np.floor(np.log2(self.stream_unit * self.one / self._row_units(weight))).astype(np.int64)
        shift = np.minimum(shift, MAX_SHIFT)
        units = np.asarray(self.stream_unit * self.one * 2.0**-shift, dtype=np.float64)
        integer, addend = self._integers(weight, bias, units)
        self.layers.append(StreamLinear(source=source, weight=integer, bias=addend, shift=shift, fresh=fresh))

    def norm(self, name: str) -> Callable[[str], tuple[Array, Array]]:
        """Append a norm; returns a function that folds it into the linear layer it is given."""
        kind = NORM_KIND[self.network.norm]
        unit = self.stream_unit if kind == "fixed" else math.sqrt(self.network.width)
        offset, scale = norm_places(kind, self.maxima[name], unit, self.code)
        self.layers.append(Norm(target="norm", kind=kind, offset=offset, levels=geometric_levels(self.code)))  # type: ignore[arg-type]
        gain, shift = self.network.affine(name)

        def fold(linear: str) -> tuple[Array, Array]:
            weight = self.network.parameters[f"{linear}.weight"]
            return weight * (gain * scale), self.network.parameters[f"{linear}.bias"] + weight @ shift

        return fold

    def attention(self, block: str) -> Array:
        """Append q, k, v and attention of a block; returns the output scales, per channel."""
        heads, head_dim = self.network.heads, self.network.width // self.network.heads
        weight, bias = self.norm(f"{block}.norm1")(f"{block}.qkv")
        q, k, v = (self.maxima[f"{block}.{name}"] for name in "qkv")
        o = np.clip(self.maxima[f"{block}.o"], MIN_CALIBRATED_RATIO * v, v)
        self.spikes("norm", "qkv", weight, bias, np.repeat(np.concatenate([q, k, v]), head_dim))
        steps = [ramp_step(score_unit(q[h], k[h], head_dim, self.code), self.code) for h in range(heads)]
        ratio = np.stack([output_ratio(o[h], v[h], self.code) for h in range(heads)])
        self.layers.append(
            Attention(
                source="qkv", target="mixed", heads=heads, ramp_step=np.array(steps, np.int64), ratio=ratio
            )
        )
        return np.repeat(o, head_dim)


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


def invert(function: Callable[[Array], Array], value: float) -> float:
    """x >= 0 with function(x) = value > 0, for a function that rises there; by bisection."""
    low, high = 0.0, 1.0
    while function(np.array(high)) < value:
        high *= 2
    for _ in range(80):
        middle = (low + high) / 2
        low, high = (middle, high) if function(np.array(middle)) < value else (low, middle)
    return high


def convert(
    network: FloatTransformer, images: NDArray[np.floating], code: PhaseCode, weight_bits: int = 8
) -> Network:
    """Integers of a spiking network.

    Args:
        network: trained float network.
        images: calibration images [n, side, side], not those of a test.
        code: phase code of every spike.
        weight_bits: width of a weight.

    Raises:
        InputError: bad images, or integers that leave the words of `golden.network.network`.
    """
    maxima = Maxima()
    network.scores(images, maxima.observe)
    image_scale = float(np.abs(network.patches(images)).max())
    if image_scale == 0:
        raise InputError("calibration images must not all be zero")
    make, parameters = Converter(network, maxima, code, weight_bits), network.parameters
    make.stream(
        IMAGE,
        parameters["embed.weight"] * image_scale,
        parameters["embed.bias"] + parameters["position"],
        fresh=True,
    )
    for index in range(network.blocks):
        block = f"blocks.{index}"
        scale = make.attention(block)
        make.stream("mixed", parameters[f"{block}.proj.weight"] * scale, parameters[f"{block}.proj.bias"])
        weight, bias = make.norm(f"{block}.norm2")(f"{block}.up")
        scale = make.spikes("norm", "hidden", weight, bias, maxima[f"{block}.hidden"], network.activation)
        weight = parameters[f"{block}.down.weight"]
        lobe = maxima.negative_mean[f"{block}.hidden"]
        make.stream("hidden", weight * scale, parameters[f"{block}.down.bias"] + weight @ lobe)
    weight, bias = make.norm("norm")("head")
    # scores are sums over tokens, in one unit for all classes
    units = np.full(len(weight), make._row_units(weight).max())
    integer, addend = make._integers(weight, bias * network.across**2, units)
    make.layers.append(ScoreLinear(source="norm", weight=integer, bias=addend))
    return Network(
        code=code, weight_bits=weight_bits, tokens=network.across**2, pixels=network.patch**2,
        image_scale=image_scale, layers=tuple(make.layers),
    )  # fmt: skip
