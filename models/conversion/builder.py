"""Layers of an integer network under construction, and the pieces that every model is made of.

Source: SpikedAttention (NeurIPS 2024), section 3.4: conversion without retraining. Scales are the largest
magnitudes of the calibration, per channel for norms and hidden neurons (folded into the weights that read
them), per head for q, k, v and attention outputs. Everything that is rounded to make the integers of a
network is rounded here.
"""

import math
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from golden.attention.job import bias_units, score_unit
from golden.attention.normaliser import bounded_output_scale, output_ratio
from golden.attention.woss import ramp_step
from golden.code import PhaseCode
from golden.errors import InputError
from golden.network.attention import Attention
from golden.network.layers import Norm, ScoreLinear, SpikingLinear, StreamLinear
from golden.network.limits import MAX_SHIFT, POTENTIAL_BITS
from golden.network.neuron import LINEAR_FRACTION_BITS, most_octaves
from golden.network.norm import NormKind
from golden.network.octave import geometric_levels, phase_step, resolution
from golden.network.rows import Gather
from golden.network.tensors import IMAGE, STREAM, Layer
from models.conversion.aims import Aim
from models.conversion.dense import bias_of, stacked
from models.conversion.reading import Reading, Windows, positive
from models.conversion.thresholds import Array, invert, norm_places
from models.floating.engine import Linear as Dense
from models.floating.functions import Activation
from models.floating.functions import Norm as FloatNorm
from models.floating.recording import Ranges

# What a user can do about a node that the integers cannot say
IN_FLOATS = "a study leaves it in floats (--parts linear)"


class Builder:
    """Layers of one network under construction, and how to make them.

    Attributes:
        layers: so far.
        nodes: per layer, the nodes of the float model that it computes.
        aims: per layer, what its potentials should be, or None.
        readings: per layer, what its spikes, or units of the stream, stand for; None of scores.
        residual_codes: that a stream which is set anew from a norm is the mean of.
        owed: what the stream lacks until the next layer adds it, [width] or 0.
        learned: the mean of what the lobes of GELU lose is no constant but a layer (`Moments.fit`).
    """

    def __init__(
        self, ranges: Ranges, code: PhaseCode, weight_bits: int, stream_bits: int, *, learned: bool = False
    ) -> None:
        self.ranges, self.code, self.stream_bits = ranges, code, stream_bits
        self.largest_weight = (1 << (weight_bits - 1)) - 1
        self.points = resolution(code.log2_base)
        self.one = 1 << (LINEAR_FRACTION_BITS + most_octaves(code))
        self.layers: list[Layer] = []
        self.nodes: list[tuple[str, ...]] = []
        self.aims: list[Aim | None] = []
        self.readings: list[Reading | None] = []
        self.learned = learned
        self.problems: list[tuple[str, str]] = []
        self.stream_unit = 1.0
        self.residual_codes = 1
        self.owed: Array | float = 0.0

    # --- what every piece needs

    def row_units(self, weight: Array) -> Array:
        """Smallest weight unit per output with which the weights fit."""
        largest = np.abs(weight).max(axis=1)
        return np.where(largest > 0, largest, 1.0) / self.largest_weight

    def integers(
        self, weight: Array, bias: Array, units: Array
    ) -> tuple[NDArray[np.int16], NDArray[np.int64]]:
        """Weights and bias [outputs] or [rows, outputs] in units of each output."""
        integer = np.floor(weight / units[:, None] + 0.5).astype(np.int16)
        addend = np.floor(bias / (units / self.one) + 0.5)
        if not (np.abs(addend) < 1 << POTENTIAL_BITS).all():
            raise InputError(
                f"biases must fit potentials of {POTENTIAL_BITS} bits beside the weights, "
                f"one is {np.abs(addend).max():.3g} units; a smaller product of --steps and --log2-base "
                "leaves them room"
            )
        return integer, addend.astype(np.int64)

    def append(
        self, layer: Layer, *nodes: str, aim: Aim | None = None, reading: Reading | None = None
    ) -> None:
        self.layers.append(layer)
        self.nodes.append(nodes)
        self.aims.append(aim)
        self.readings.append(reading)

    def mean(self, node: str) -> NDArray[np.floating] | None:
        """Mean input of a dense node, output of a norm, or None where calibration did not see it."""
        return self.ranges.mean(node) if node in self.ranges.total else None

    def aim(self, layer: Dense, units: Array, mean: NDArray[np.floating] | None, rows: int = 1) -> Aim | None:
        """What potentials of a dense layer in these units should be, of `rows` rows together."""
        if mean is None:
            return None
        return Aim(layer=layer, unit=units / self.one, inputs=mean, rows=rows)

    @contextmanager
    def node(self, name: str) -> Iterator[None]:
        """An error inside becomes a reason to refuse the model by the name of this node."""
        try:
            yield
        except InputError as error:
            self.problems.append((name, f"{name}: {error}"))

    def refuse(self, name: str, reason: str) -> None:
        """A node that the integers cannot say."""
        self.problems.append((name, f"{name}: {reason}"))

    # --- pieces

    def begin_stream(self, *names: str) -> None:
        """From here on the stream counts in a unit that suits what these nodes read."""
        largest = np.concatenate([self.ranges.stream[name] for name in names])
        self.stream_unit = float(positive(largest).max()) / (1 << self.stream_bits)

    def spikes(
        self,
        reading: Reading,
        layer: Dense,
        target: str,
        scale: Array,
        *nodes: str,
        activation: Activation | None = None,
        gather: Gather | None = None,
    ) -> Reading:
        """Append a layer whose neurons fire.

        Args:
            scale: [outputs], wished value of a spike of phase 0.
            activation: of the neurons, which then fire above its start only, unless it is odd. Without one,
                or with a linear one, ratios are kept; else one list serves all, in units of its first
                threshold.
        """
        code, theta, start, offset = self.code, self.code.threshold_shift, None, None
        if activation is not None and not activation.odd:
            # potentials count from where neurons begin to fire, spikes from what it makes there
            start = activation.start
            layer = Dense(weight=layer.weight, bias=bias_of(layer) - start)
            scale = scale - activation.floor
            offset = np.full(len(scale), activation.floor) if activation.floor else None
        elif activation is not None:
            scale = np.full_like(scale, scale.max())
        fired = Reading(source=target, scale=scale, offset=offset, start=start)
        weight, bias = reading.fold(layer)
        if activation is not None and not activation.linear:
            # the list is that of a typical scale; of the others it has the first threshold right
            wanted = theta * np.exp(np.log(scale).mean()) * code.base ** -np.arange(code.steps)
            thresholds = invert(activation.fired, wanted)
            levels = np.floor(self.points * np.log2(thresholds / thresholds[0]) + 0.5).astype(np.int64)
            first = invert(activation.fired, theta * np.asarray(scale, dtype=np.float64))
        else:
            levels, first = geometric_levels(code), theta * scale
        # unit * 2**(place/R) is the first threshold exactly; the unit grows by less than 2**(1/R)
        place = np.floor(self.points * np.log2(first / (self.row_units(weight) / self.one))).astype(np.int64)
        units = np.asarray(first * 2.0 ** (-place / self.points) * self.one, dtype=np.float64)
        with self.node(nodes[0]):
            integer, addend = self.integers(weight, bias, units)
            made = SpikingLinear(
                source=reading.source, target=target, gather=gather, weight=integer, bias=addend,
                offset=place, levels=levels, signed=activation is None or activation.odd,
            )  # fmt: skip
            self.append(made, *nodes, aim=self.aim(layer, units, self.mean(nodes[0])), reading=fired)
        return fired

    def stream(
        self,
        reading: Reading,
        layer: Dense,
        *nodes: str,
        fresh: bool = False,
        gather: Gather | None = None,
        rows: NDArray[np.floating] | None = None,
        mean: NDArray[np.floating] | None = None,
    ) -> None:
        """Append a layer that adds to the residual stream; its unit is the stream's, shifted per output.

        Args:
            fresh: the stream is set anew, in the unit of the last `begin_stream`.
            rows: [rows, outputs], added beside the bias.
            mean: of the inputs over the calibration; that of the first of `nodes` when absent.
        """
        if not fresh:
            layer, self.owed = Dense(weight=layer.weight, bias=bias_of(layer) + self.owed), 0.0
        weight, bias = reading.fold(layer)
        bias = bias if rows is None else bias + rows.astype(np.float64)
        shift = np.floor(np.log2(self.stream_unit * self.one / self.row_units(weight))).astype(np.int64)
        shift = np.minimum(shift, MAX_SHIFT)
        with self.node(nodes[0]):
            if (shift < 0).any():
                raise InputError(
                    "its weights must not be larger than the stream; samples that reach larger values set "
                    "a coarser unit"
                )
            units = np.asarray(self.stream_unit * self.one * 2.0**-shift, dtype=np.float64)
            integer, addend = self.integers(weight, bias, units)
            made = StreamLinear(
                source=reading.source, gather=gather, weight=integer, bias=addend, shift=shift, fresh=fresh
            )
            mean = self.mean(nodes[0]) if mean is None else mean
            aim = self.aim(layer, units, mean) if rows is None else None
            unit = Reading(source=STREAM, scale=np.array(self.stream_unit))
            self.append(made, *nodes, aim=aim, reading=unit)

    def residual(self, reading: Reading, node: str) -> None:
        """The stream set anew from spikes that the next layer reads as well."""
        self.stream(reading, Dense(weight=np.eye(len(reading.scale))), node, fresh=True)

    def renewed(self, name: str, norm: FloatNorm, rows: int, *names: str) -> Reading:
        """A norm, the stream set anew from it to be read by the nodes `names`, and the spikes of the norm.

        The stream that norms make has the error of a code, and it stays there. With more than one residual
        code it is the mean of as many of the same row, whose thresholds lie between each other; what the
        dense layers read is a code of that mean.
        """
        if self.residual_codes == 1:
            reading = self.norm(name, norm)
            self.begin_stream(*names)
            self.residual(reading, name)
            return reading
        reading = replace(self.finer(name, norm, rows), offset=None)
        self.begin_stream(*names)
        identity, centred = Dense(weight=np.eye(len(norm.weight))), self.ranges.mean(name) - norm.bias
        self.stream(reading, identity, name, fresh=True, mean=centred)
        # so that the code of the stream is one of the norm before its offset
        self.owed = norm.bias.astype(np.float64)
        wished = positive(np.abs(norm.weight) * self.ranges.norm[name])
        return self._norm(name, "fixed", wished, self.stream_unit, None, mean=norm.bias)

    def finer(self, name: str, norm: FloatNorm, rows: int) -> Reading:
        """Append a norm of the stream in several codes, one after the other, of rows read as often."""
        codes = self.residual_codes
        if codes == 1:
            return self.norm(name, norm)
        between = np.rint(np.arange(codes) * phase_step(self.code) / codes) / self.points
        wished = np.multiply.outer(2.0**-between, positive(self.ranges.norm[name])).ravel()
        unit = self.stream_unit if norm.kind == "fixed" else math.sqrt(len(wished))
        taps = np.repeat(np.arange(rows)[:, None], codes, axis=1)
        gain, mean = np.tile(norm.weight, codes), np.tile(norm.bias, codes)
        return self._norm(name, norm.kind, wished, unit, taps, gain=gain, mean=mean, codes=codes)

    def norm(self, name: str, norm: FloatNorm, gather: Gather | None = None) -> Reading:
        """Append a norm of the stream."""
        unit = self.stream_unit if norm.kind == "fixed" else math.sqrt(len(norm.weight))
        wished, gain, mean = positive(self.ranges.norm[name]), norm.weight, norm.bias
        return self._norm(name, norm.kind, wished, unit, gather, gain=gain, mean=mean)

    def coded(self, name: str, largest: NDArray[np.floating], gather: Gather | None = None) -> Reading:
        """Append a code of the stream as it is, for layers that read no norm."""
        return self._norm(name, "fixed", positive(largest), self.stream_unit, gather)

    def _norm(
        self, name: str, kind: NormKind, wished: Array, unit: float, gather: Gather | None, *,
        gain: NDArray[np.floating] | float = 1.0, mean: NDArray[np.floating] | None = None, codes: int = 1,
    ) -> Reading:  # fmt: skip
        offset, scale = norm_places(kind, wished, unit, self.code)
        reading = Reading(source="norm", scale=gain * scale, offset=mean, codes=codes)
        levels = geometric_levels(self.code)
        made = Norm(target="norm", kind=kind, offset=offset, levels=levels, gather=gather)
        self.append(made, name, reading=reading)
        return reading

    def attention(
        self, name: str, reading: Reading, layers: Sequence[Dense], heads: int, windows: Windows
    ) -> Reading:
        """Append q, k, v and attention of the block `name`; `layers` make q, k and v."""
        layer, attention = stacked(*layers), f"{name}.attention"
        head_dim = len(layer.weight) // 3 // heads
        q, k, v, o = (positive(x) for x in self.ranges.attention[attention].max(axis=-1))
        o = bounded_output_scale(o, v)
        parts = [f"{name}.{part}" for part in ("query", "key", "value")]
        wished = np.repeat(np.concatenate([q, k, v]), head_dim)
        gather = None if windows.rows is None else windows.rows[:, None]
        self.spikes(reading, layer, "qkv", wished, *parts, gather=gather)
        mixed = Reading(source="mixed", scale=np.repeat(o, head_dim))
        units = [score_unit(q[h], k[h], head_dim, self.code) for h in range(heads)]
        with self.node(attention):
            bias = windows.bias
            terms = None if bias is None else np.stack([bias_units(bias[h], units[h]) for h in range(heads)])
            made = Attention(
                source="qkv", target="mixed", heads=heads, groups=windows.groups, allowed=windows.allowed,
                ramp_step=np.array([ramp_step(unit, self.code) for unit in units], np.int64),
                ratio=np.stack([output_ratio(o[h], v[h], self.code) for h in range(heads)]), bias=terms,
            )  # fmt: skip
            self.append(made, attention, reading=mixed)
        return mixed

    def image(self, layer: Dense, gather: Gather | None, rows: NDArray[np.floating] | None) -> float:
        """Append the embedding of patches, which begins the stream; returns the scale of the image."""
        scale = float(self.ranges.linear["embedding"].max())
        reading = Reading(source=IMAGE, scale=np.full(layer.weight.shape[1], scale))
        self.stream(reading, layer, "embedding", fresh=True, gather=gather, rows=rows)
        return scale

    def scores(
        self,
        reading: Reading,
        layer: Dense,
        *nodes: str,
        rows: int = 1,
        pooled: bool = True,
        gather: Gather | None = None,
        alike: bool = True,
        mean: NDArray[np.floating] | None = None,
    ) -> Array:
        """Append the last layer; returns the value of a unit of each score, float64 [outputs].

        Args:
            rows: of which the scores are the sum.
            alike: one unit for all, so that scores compare.
            mean: as of `stream`.
        """
        weight, bias = reading.fold(layer)
        units = self.row_units(weight)
        units = np.full(len(weight), units.max()) if alike else units
        with self.node(nodes[0]):
            integer, addend = self.integers(weight, bias * rows, units)
            made = ScoreLinear(
                source=reading.source, gather=gather, weight=integer, bias=addend, pooled=pooled
            )
            mean = self.mean(nodes[0]) if mean is None else mean
            # of single rows calibration need not have seen all
            self.append(made, *nodes, aim=self.aim(layer, units, mean, rows) if pooled else None)
        return np.asarray(units / self.one / rows, dtype=np.float64)
