"""Integer layers of a spiking network.

Source: SpikedAttention (NeurIPS 2024), sections 3.1 and 3.4: accumulate-only neurons with static
weights, activation functions as threshold lists. Norms in spikes go beyond the paper.

Linear neuron, with inputs (sgn, ph), a*ph = o*b + r and E = a*(T-1) div b:

    A[n,r] = sum over inputs with residue r of  w[n,i]*sgn[i] << (E - o)
    V[n]   = sum_r A[n,r]*C[r] + bias[n],       C[r] = floor(2**c * 2**(-r/b) + 1/2), c = 8

Its target says what becomes of V: a one-spike code (`golden.network.octave.fire`), an addition to
the residual stream x += floor((V + 2**(s-1)) / 2**s) with s = offset[n], or a class score.
"""

from dataclasses import dataclass
from fractions import Fraction
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from golden.code import PhaseCode, Spikes
from golden.network.mean import row_mean
from golden.network.octave import fire, octave_code, resolution, square
from golden.trace import trace_table

LINEAR_FRACTION_BITS = 8
NormKind = Literal["fixed", "rms", "layer"]
NORM_KINDS = ("fixed", "rms", "layer")
STREAM, SCORES, IMAGE = "stream", "scores", "image"


@dataclass(frozen=True, kw_only=True, eq=False)
class Linear:
    """Accumulate-only neurons.

    Attributes:
        source: name of the spikes that enter, [tokens, inputs].
        target: name of the spikes that leave, or "stream" or "scores".
        weight: int16 [outputs, inputs].
        bias: int64 [outputs], or [tokens, outputs] where position terms are in it.
        offset: int64 [outputs]; place of the first threshold, for "stream" the right shift, else 0.
        levels: int64 [T], 0 first, falling: threshold list; empty unless the target is spikes.
        signed: negative potentials fire, with sign -1.
        fresh: for "stream": it starts from zero.
        pooled: potentials accumulate over all tokens; the bias is added once.
    """

    source: str
    target: str
    weight: NDArray[np.int16]
    bias: NDArray[np.int64]
    offset: NDArray[np.int64]
    levels: NDArray[np.int64]
    signed: bool = True
    fresh: bool = False
    pooled: bool = False


@dataclass(frozen=True, kw_only=True, eq=False)
class Norm:
    """Residual stream to spikes; its falling threshold carries the deviation of the row.

    Attributes:
        target: name of the spikes that leave.
        kind: "fixed" (an affine norm folded into the neighbours: a plain encoder), "rms", "layer".
        offset: int64 [width], place of the first threshold per channel.
        levels: int64 [T].
    """

    target: str
    kind: NormKind
    offset: NDArray[np.int64]
    levels: NDArray[np.int64]


@dataclass(frozen=True, kw_only=True, eq=False)
class Attention:
    """Spiked attention; see `golden.attention.job`.

    Attributes:
        source: name of spikes [tokens, 3*heads*head_dim]: q of all heads, k, v.
        target: name of the spikes that leave, [tokens, heads*head_dim].
        ramp_step: int64 [heads]; ratio: int64 [heads, b].
    """

    source: str
    target: str
    heads: int
    ramp_step: NDArray[np.int64]
    ratio: NDArray[np.int64]


Layer = Linear | Norm | Attention


def residue_constants(code: PhaseCode) -> NDArray[np.int64]:
    """C[0..b-1]."""
    b = code.log2_base.denominator
    return trace_table(Fraction(1, b), LINEAR_FRACTION_BITS, b)


def most_octaves(code: PhaseCode) -> int:
    """E: octaves between the first and the last phase."""
    return code.octave(code.steps - 1)[0]


def spike_values(code: PhaseCode) -> NDArray[np.int64]:
    """What a weight of one adds to V, per phase 0..T-1, then 0 for a silent input; int64 [T+1]."""
    constants, most = residue_constants(code), most_octaves(code)
    octaves = [code.octave(phase) for phase in range(code.steps)]
    return np.array([int(constants[r]) << (most - o) for o, r in octaves] + [0], dtype=np.int64)


def potentials(layer: Linear, spikes: Spikes, code: PhaseCode) -> NDArray[np.int64]:
    """V, int64 [..., tokens, outputs] ([..., outputs] when pooled), of spikes [..., tokens, inputs]."""
    inputs = (spikes.sign * spike_values(code)[spikes.phase]).astype(np.float64)
    if layer.pooled:
        inputs = inputs.sum(axis=-2)
    # every partial sum is an integer below 2**53 (`golden.network.network` checks), float64 is exact
    return np.rint(inputs @ layer.weight.T.astype(np.float64)).astype(np.int64) + layer.bias


def stream_terms(layer: Linear, potential: NDArray[np.int64]) -> NDArray[np.int64]:
    """What a layer adds to the residual stream: floor((V + 2**(s-1)) / 2**s), s = offset."""
    half = (np.int64(1) << layer.offset) >> 1
    return (potential + half) >> layer.offset


def row_shift(stream: NDArray[np.int64], kind: NormKind, code: PhaseCode) -> NDArray[np.int64]:
    """D[..., tokens] = ceil(L(sum_i square(L(x_i))) / 2): the row's deviation as a shift of thresholds.

    2**(D/R) estimates sqrt(sum x**2) within a factor 2**(-1.5/R)..2**(0.5/R) (R = 16: -6.3 %..+2.2 %)
    as long as no x above 2**-5 of the largest lies below 2**6; 0 for kind "fixed".
    """
    points = resolution(code.log2_base)
    if kind == "fixed":
        return np.zeros(stream.shape[:-1], dtype=np.int64)
    total = square(octave_code(stream, points), points).sum(axis=-1)
    return (np.maximum(octave_code(total, points), 0) + 1) >> 1


def centred(stream: NDArray[np.int64], kind: NormKind) -> NDArray[np.int64]:
    """The stream, for kind "layer" less the row's mean (`golden.network.mean`)."""
    return stream - row_mean(stream)[..., None] if kind == "layer" else stream


def normalise(layer: Norm, stream: NDArray[np.int64], code: PhaseCode) -> Spikes:
    """Spikes [..., tokens, width] of the residual stream."""
    values = centred(stream, layer.kind)
    shift = row_shift(values, layer.kind, code)
    return fire(values, layer.levels, layer.offset + shift[..., None], code, signed=True)
