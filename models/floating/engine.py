"""How the nodes of a model compute: in floats, in floats while ranges are recorded, or in spikes.

A model calls `linear`, `attention` and `norm` of an engine by node name; everything else (activation
functions, sums) it computes in floats itself.
"""

from dataclasses import dataclass, field
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from golden.attention.job import AttentionJob, HeadScales, compute, prepare
from golden.code import PhaseCode, Spikes, decode, encode
from golden.inputs import without_unattended
from golden.network.linear import IntegerLinear
from models.floating.functions import Norm, apply_norm, standardise
from models.floating.norm import SpikingNorm, stream_of

Floats = NDArray[np.floating]


@dataclass(frozen=True, kw_only=True)
class Linear:
    """A dense layer: weight [outputs, inputs], bias [outputs] or None."""

    weight: Floats
    bias: Floats | None = None


class Engine(Protocol):
    """What a model needs to compute its nodes."""

    def linear(self, name: str, x: Floats, layer: Linear) -> Floats:
        """x [..., inputs] to [..., outputs]."""

    def attention(
        self,
        name: str,
        q: Floats,
        k: Floats,
        v: Floats,
        bias: Floats | None = None,
        allowed: NDArray[np.bool_] | None = None,
    ) -> Floats:
        """softmax(q k^T / sqrt(d) + bias) v for q, k, v [batch, heads, tokens, d].

        bias is broadcastable to [batch, heads, tokens, tokens], as is allowed (True = attend).
        """

    def norm(self, name: str, x: Floats, norm: Norm) -> Floats:
        """Norm of x over its last axis."""

    def stream(self, name: str, x: Floats) -> Floats:
        """The residual stream x, where it is read without a norm."""


class FloatEngine:
    """Arithmetic in the precision of the weights: the reference."""

    def linear(self, name: str, x: Floats, layer: Linear) -> Floats:
        # One product of all rows, which is several times faster than one per sample
        y = (x.reshape(-1, x.shape[-1]) @ layer.weight.T).reshape(*x.shape[:-1], -1)
        return y if layer.bias is None else y + layer.bias

    def attention(
        self,
        name: str,
        q: Floats,
        k: Floats,
        v: Floats,
        bias: Floats | None = None,
        allowed: NDArray[np.bool_] | None = None,
    ) -> Floats:
        logits = q @ np.swapaxes(k, -1, -2) * q.dtype.type(q.shape[-1] ** -0.5)
        if bias is not None:
            logits = logits + bias
        if allowed is not None:
            logits = np.where(allowed, logits, -np.inf)
        weights = np.exp(logits - logits.max(axis=-1, keepdims=True))
        return weights @ v / weights.sum(axis=-1, keepdims=True)

    def norm(self, name: str, x: Floats, norm: Norm) -> Floats:
        return apply_norm(x, norm)

    def stream(self, name: str, x: Floats) -> Floats:
        return x


@dataclass
class Moments:
    """Sums over rows of what enters an MLP, x [inputs], and of what its lobes make of it, y [outputs].

    Attributes:
        rows: how many.
        x, y, xx, xy: sums of x and y, and of their products, [inputs, inputs] and [inputs, outputs].
    """

    rows: int = 0
    x: Floats | float = 0.0
    y: Floats | float = 0.0
    xx: Floats | float = 0.0
    xy: Floats | float = 0.0

    def add(self, x: Floats, y: Floats) -> None:
        """Rows [..., inputs] and [..., outputs]."""
        x, y = (part.reshape(-1, part.shape[-1]).astype(np.float64) for part in (x, y))
        self.rows += len(x)
        self.x, self.y = self.x + x.sum(axis=0), self.y + y.sum(axis=0)
        self.xx, self.xy = self.xx + x.T @ x, self.xy + x.T @ y

    def fit(self, samples: float) -> Linear:
        """The layer of least squares from x to y, held back by so many rows of the mean (ridge)."""
        x, y = np.asarray(self.x) / self.rows, np.asarray(self.y) / self.rows
        xx = np.asarray(self.xx) - self.rows * np.outer(x, x)
        xy = np.asarray(self.xy) - self.rows * np.outer(x, y)
        held = samples / self.rows * np.trace(xx) / len(x)
        weight = np.linalg.solve(xx + held * np.eye(len(x)), xy).T
        return Linear(weight=weight, bias=y - weight @ x)


@dataclass
class Ranges:
    """What calibration saw at the inputs of spiking nodes: largest magnitudes, and a mean.

    Attributes:
        linear: per node, [inputs].
        lobe: per dense node, [inputs]: sum over all rows of what of the inputs is negative.
        total: per dense node and norm, sum over all rows: of inputs [inputs], or of outputs [width].
        rows: per dense node and norm, how many rows there were.
        lobes: per second layer of an MLP, what entered the first one and what the negative part of its own
            inputs makes.
        attention: per node, [4, heads, d]: q, k, v and the output.
        norm: per node, [width]: a row before gain and offset.
        stream: per norm, and where the stream is read without one, [width].
    """

    linear: dict[str, Floats] = field(default_factory=dict)
    lobe: dict[str, Floats] = field(default_factory=dict)
    total: dict[str, Floats] = field(default_factory=dict)
    lobes: dict[str, Moments] = field(default_factory=dict)
    rows: dict[str, int] = field(default_factory=dict)
    attention: dict[str, Floats] = field(default_factory=dict)
    norm: dict[str, Floats] = field(default_factory=dict)
    stream: dict[str, Floats] = field(default_factory=dict)

    def negative_mean(self, name: str) -> Floats:
        """Mean of the negative part of a dense node's inputs, [inputs]: that of GELU's lobe behind it."""
        return self.lobe[name] / self.rows[name]

    def mean(self, name: str) -> Floats:
        """Mean input of a dense node, [inputs], or output of a norm, [width]."""
        return self.total[name] / self.rows[name]


class RecordingEngine(FloatEngine):
    """Floats, remembering the largest magnitudes in `ranges`."""

    def __init__(self) -> None:
        self.ranges = Ranges()

    def linear(self, name: str, x: Floats, layer: Linear) -> Floats:
        ranges, rows = self.ranges, tuple(range(x.ndim - 1))
        _raise_to(ranges.linear, name, np.abs(x).max(axis=rows))
        lobe = np.minimum(x, 0).sum(axis=rows, dtype=np.float64)
        ranges.lobe[name] = ranges.lobe.get(name, 0.0) + lobe
        self._add_up(name, x)
        part = name.rpartition(".")[2]
        if part == "mlp1":
            self.entered = x
        elif part == "mlp2" and lobe.any():
            ranges.lobes.setdefault(name, Moments()).add(self.entered, np.minimum(x, 0) @ layer.weight.T)
        return super().linear(name, x, layer)

    def _add_up(self, name: str, x: Floats) -> None:
        ranges, rows = self.ranges, tuple(range(x.ndim - 1))
        ranges.total[name] = ranges.total.get(name, 0.0) + x.sum(axis=rows, dtype=np.float64)
        ranges.rows[name] = ranges.rows.get(name, 0) + x.size // x.shape[-1]

    def attention(
        self,
        name: str,
        q: Floats,
        k: Floats,
        v: Floats,
        bias: Floats | None = None,
        allowed: NDArray[np.bool_] | None = None,
    ) -> Floats:
        out = super().attention(name, q, k, v, bias, allowed)
        k, v = (without_unattended(x, allowed) for x in (k, v))
        largest = [np.abs(x).max(axis=(0, 2)) for x in (q, k, v, out)]
        _raise_to(self.ranges.attention, name, np.stack(largest))
        return out

    def norm(self, name: str, x: Floats, norm: Norm) -> Floats:
        normal = standardise(x, norm)
        _raise_to(self.ranges.norm, name, np.abs(normal).reshape(-1, x.shape[-1]).max(axis=0))
        self.stream(name, x)
        out = super().norm(name, x, norm)
        self._add_up(name, out)
        return out

    def stream(self, name: str, x: Floats) -> Floats:
        _raise_to(self.ranges.stream, name, np.abs(x).reshape(-1, x.shape[-1]).max(axis=0))
        return super().stream(name, x)


def _raise_to(store: dict[str, Floats], name: str, values: Floats) -> None:
    store[name] = np.maximum(store[name], values) if name in store else values


@dataclass(frozen=True, kw_only=True)
class SpikingAttention:
    """Attention of one node in spikes.

    Attributes:
        code: of all its spikes.
        window: steps of the WOSS ramp.
        scales: of q, k, v and the output, [4, heads].
        balance: divisors of q, k and v, [3, heads, d or 1]; those of q and k cancel in the scores, that
            of v returns at the output. The weights around attention carry them at run time.
    """

    code: PhaseCode
    window: int
    scales: NDArray[np.float64]
    balance: NDArray[np.float64]


@dataclass
class Activity:
    """Spikes counted at a node: neurons that may fire, neurons that fired, steps before firing."""

    neurons: int = 0
    spikes: int = 0
    steps: int = 0

    def add(self, phase: NDArray[np.int8], steps: int) -> None:
        """Count phases, `steps` standing for a neuron that stayed silent."""
        self.neurons += phase.size
        self.spikes += int(np.count_nonzero(phase < steps))
        self.steps += int(phase.sum(dtype=np.int64))

    @property
    def density(self) -> float:
        """Share of neurons that fire."""
        return self.spikes / self.neurons if self.neurons else 0.0


class SpikingEngine(FloatEngine):
    """Integers of the golden model where a node was converted, floats elsewhere.

    Attributes:
        linears, attentions, norms: converted nodes by name.
        activity: spikes counted so far, by node and operand ("block0.query.x", "block0.attention.q").
    """

    def __init__(
        self,
        linears: dict[str, IntegerLinear],
        attentions: dict[str, SpikingAttention],
        norms: dict[str, SpikingNorm],
    ) -> None:
        self.linears = linears
        self.attentions = attentions
        self.norms = norms
        self.activity: dict[str, Activity] = {}

    def linear(self, name: str, x: Floats, layer: Linear) -> Floats:
        integer = self.linears.get(name)
        if integer is None:
            return super().linear(name, x, layer)
        centred = x if integer.input_offset is None else x - integer.input_offset
        spikes = encode(centred, integer.input_scale, integer.code)
        self._count(f"{name}.x", spikes.phase, integer.code.steps)
        return (self.potentials(spikes, integer) * integer.unit).astype(x.dtype)

    def attention(
        self,
        name: str,
        q: Floats,
        k: Floats,
        v: Floats,
        bias: Floats | None = None,
        allowed: NDArray[np.bool_] | None = None,
    ) -> Floats:
        spiking = self.attentions.get(name)
        if spiking is None:
            return super().attention(name, q, k, v, bias, allowed)
        batch, heads, tokens, _ = q.shape
        square = (batch, heads, tokens, tokens)
        scales = np.tile(spiking.scales, batch)
        flat_q, flat_k, flat_v = (
            (x / divisor[:, None]).reshape(-1, *x.shape[2:])
            for x, divisor in zip((q, k, v), spiking.balance, strict=True)
        )
        job, used = prepare(
            flat_q,
            flat_k,
            flat_v,
            spiking.code,
            window=spiking.window,
            bias=None if bias is None else np.broadcast_to(bias, square).reshape(-1, tokens, tokens),
            mask=None if allowed is None else np.broadcast_to(allowed, square).reshape(-1, tokens, tokens),
            scale_q=scales[0],
            scale_k=scales[1],
            scale_v=scales[2],
            scale_o=scales[3],
        )
        attn_phase, fired_out = self.fire(job, used)
        steps = spiking.code.steps
        for operand, phase in (("q", job.q.phase), ("k", job.k.phase), ("v", job.v.phase)):
            self._count(f"{name}.{operand}", phase, steps)
        fired = np.where(attn_phase < 0, steps, attn_phase)
        self._count(f"{name}.attention", fired.astype(np.int8), steps)
        self._count(f"{name}.out", fired_out.phase, steps)
        out = decode(fired_out, used.o[:, None, None], job.code).reshape(q.shape)
        return (out * spiking.balance[2][:, None]).astype(q.dtype)

    def norm(self, name: str, x: Floats, norm: Norm) -> Floats:
        spiking = self.norms.get(name)
        if spiking is None:
            return super().norm(name, x, norm)
        spikes = spiking.layer.normalise(stream_of(x, spiking.unit), spiking.code)
        self._count(f"{name}.out", spikes.phase, spiking.code.steps)
        return (decode(spikes, spiking.scale, spiking.code) * norm.weight + norm.bias).astype(x.dtype)

    def fire(self, job: AttentionJob, scales: HeadScales) -> tuple[NDArray[np.int8], Spikes]:
        """Phases of the attention spikes, -1 where silent, and output spikes; see `golden.attention.job`."""
        result = compute(job)
        return result.attn_phase, result.out

    def potentials(self, spikes: Spikes, layer: IntegerLinear) -> NDArray[np.floating] | NDArray[np.int64]:
        """Potentials of a dense layer in its units."""
        return layer.potentials(spikes, layer.code)

    def _count(self, name: str, phase: NDArray[np.int8], steps: int) -> None:
        self.activity.setdefault(name, Activity()).add(phase, steps)
