"""How the nodes of a model compute: in floats, in floats while ranges are recorded, or in spikes.

A model calls `linear`, `attention` and `norm` of an engine by node name; everything else (activation
functions, sums) it computes in floats itself.
"""

from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from golden.attention.job import AttentionJob, HeadScales, compute, prepare
from golden.code import PhaseCode, Spikes, decode, encode
from golden.network.linear import IntegerLinear
from models.floating.functions import Activation, Norm, apply_norm
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

    def activate(self, x: Floats, activation: Activation) -> Floats:
        """What stands between two dense layers."""

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

    def activate(self, x: Floats, activation: Activation) -> Floats:
        return activation.function(x)

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
