"""Integer layers of a spiking network.

Source: SpikedAttention (NeurIPS 2024), sections 3.1 and 3.4: accumulate-only neurons with static
weights, activation functions as threshold lists. Norms in spikes go beyond the paper.

A linear layer (`golden.network.neuron`) is told apart by what becomes of its potentials V: one-spike
codes (`golden.network.octave.fire`), additions to the residual stream, or class scores.
"""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from golden.attention.job import AttentionJob
from golden.attention.normaliser import MAX_RATIO
from golden.attention.woss import MAX_RAMP_STEP
from golden.code import PhaseCode, Spikes
from golden.errors import InputError, quoted
from golden.network.checks import check_integers, check_source, check_target, check_thresholds
from golden.network.limits import MAX_BIAS, MAX_FEATURES, MAX_SHIFT
from golden.network.neuron import Neurons, most_octaves, received, spike_values
from golden.network.norm import NORM_KINDS, NormKind, centred, row_shift
from golden.network.octave import fire
from golden.network.tensors import SCORES, STREAM, Run, Shapes


@dataclass(frozen=True, kw_only=True, eq=False)
class Linear(Neurons):
    """What linear layers have in common.

    Attributes:
        source: name of the spikes that enter, [tokens, inputs].
        weight: int16 [outputs, inputs].
        bias: int64 [outputs], or [tokens, outputs] where position terms are in it.
    """

    source: str

    def bound(self, rows: int, shapes: Shapes) -> NDArray[np.int64]:
        """Largest magnitude of each potential, over all inputs of `rows` rows that add up."""
        added = np.abs(self.weight.astype(np.int64)).sum(axis=1) * rows
        potential = added * int(spike_values(shapes.code)[0]) + np.abs(self.bias)
        shapes.accumulator = max(shapes.accumulator, int(added.max()) << most_octaves(shapes.code))
        shapes.potential = max(shapes.potential, int(potential.max()))
        return potential

    def check_neurons(self, name: str, shapes: Shapes, *, by_row: bool = True) -> int:
        """Rows of the source; raise InputError if weights or bias do not belong to it."""
        rows, inputs = check_source(self.source, name, shapes)
        if self.weight.ndim != 2 or not 1 <= self.outputs <= MAX_FEATURES:
            raise InputError(
                f"{name}.weight must be [1..{MAX_FEATURES} outputs, inputs], not {list(self.weight.shape)}"
            )
        if self.weight.shape[1] != inputs:
            raise InputError(
                f"{name} must have {inputs} inputs, the width of {quoted(self.source)}, "
                f"not {self.weight.shape[1]}"
            )
        largest = (1 << (shapes.weight_bits - 1)) - 1
        check_integers(f"{name}.weight", self.weight, [self.weight.shape], largest)
        allowed = [(self.outputs,), (rows, self.outputs)]
        check_integers(f"{name}.bias", self.bias, allowed if by_row else allowed[:1], MAX_BIAS)
        return rows


@dataclass(frozen=True, kw_only=True, eq=False)
class SpikingLinear(Linear):
    """Neurons that fire.

    Attributes:
        target: name of the spikes that leave, [tokens, outputs].
        offset: int64 [outputs], place of the first threshold.
        levels: int64 [T], 0 first, falling: threshold list.
        signed: negative potentials fire, with sign -1.
    """

    target: str
    offset: NDArray[np.int64]
    levels: NDArray[np.int64]
    signed: bool = True

    def check(self, name: str, shapes: Shapes) -> None:
        rows = self.check_neurons(name, shapes)
        check_target(self.target, name)
        check_thresholds(name, self.offset, self.levels, self.outputs, shapes.code)
        self.bound(1, shapes)
        shapes.spikes[self.target] = rows, self.outputs

    def run(self, run: Run) -> Spikes:
        potential = self.potentials(run.spikes[self.source], run.code)
        spikes = fire(potential, self.levels, self.offset, run.code, signed=self.signed)
        run.spikes[self.target] = spikes
        return spikes


@dataclass(frozen=True, kw_only=True, eq=False)
class StreamLinear(Linear):
    """Neurons that add to the residual stream: x += floor((V + 2**(s-1)) / 2**s).

    Attributes:
        shift: s, int64 [outputs].
        fresh: the stream starts from zero.
    """

    shift: NDArray[np.int64]
    fresh: bool = False
    target: ClassVar[str] = STREAM

    def check(self, name: str, shapes: Shapes) -> None:
        rows = self.check_neurons(name, shapes)
        check_integers(f"{name}.shift", self.shift, [(self.outputs,)], MAX_SHIFT, 0)
        if self.fresh == (shapes.stream is not None):
            raise InputError(f"{name}: the first layer with target {STREAM!r}, and no other, must be fresh")
        if shapes.stream is not None and shapes.stream[1] != self.outputs:
            raise InputError(
                f"{name} must have {shapes.stream[1]} outputs, the width of the stream, not {self.outputs}"
            )
        terms = int(self.terms(self.bound(1, shapes)).max()) + 1
        shapes.residual = terms + (0 if self.fresh else shapes.residual)
        shapes.stream = rows, self.outputs

    def terms(self, potential: NDArray[np.int64]) -> NDArray[np.int64]:
        """What potentials add to the stream."""
        half = (np.int64(1) << self.shift) >> 1
        return (potential + half) >> self.shift

    def run(self, run: Run) -> NDArray[np.int64]:
        terms = self.terms(self.potentials(run.spikes[self.source], run.code))
        run.stream = run.after_sum(terms if self.fresh else run.stream + terms)
        return run.stream


@dataclass(frozen=True, kw_only=True, eq=False)
class ScoreLinear(Linear):
    """Class scores: potentials that accumulate over all tokens; the bias [outputs] is added once."""

    target: ClassVar[str] = SCORES

    def check(self, name: str, shapes: Shapes) -> None:
        rows = self.check_neurons(name, shapes, by_row=False)
        self.bound(rows, shapes)
        shapes.classes = self.outputs

    def potentials(self, spikes: Spikes, code: PhaseCode) -> NDArray[np.int64]:
        """V, int64 [..., outputs], of spikes [..., tokens, inputs]."""
        return self.integrate(received(spikes, code).sum(axis=-2))

    def run(self, run: Run) -> NDArray[np.int64]:
        return self.potentials(run.spikes[self.source], run.code)


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
    source: ClassVar[str] = STREAM

    def check(self, name: str, shapes: Shapes) -> None:
        if shapes.stream is None:
            raise InputError(f"{name}: a norm needs an earlier layer with target {STREAM!r}")
        check_target(self.target, name)
        if self.kind not in NORM_KINDS:
            raise InputError(f"{name}.kind must be one of {', '.join(NORM_KINDS)}, not {quoted(self.kind)}")
        check_thresholds(name, self.offset, self.levels, shapes.stream[1], shapes.code)
        shapes.spikes[self.target] = shapes.stream

    def normalise(self, stream: NDArray[np.int64], code: PhaseCode) -> Spikes:
        """Spikes [..., tokens, width] of the residual stream."""
        values = centred(stream, self.kind)
        shift = row_shift(values, self.kind, code)
        return fire(values, self.levels, self.offset + shift[..., None], code, signed=True)

    def run(self, run: Run) -> Spikes:
        spikes = run.spikes[self.target] = self.normalise(run.stream, run.code)
        return spikes


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

    def check(self, name: str, shapes: Shapes) -> None:
        rows, width = check_source(self.source, name, shapes)
        check_target(self.target, name)
        if self.heads < 1 or width % (3 * self.heads):
            raise InputError(
                f"{name}: 3*heads must divide the width of {quoted(self.source)} ({width}), "
                f"heads is {quoted(self.heads)}"
            )
        check_integers(f"{name}.ramp_step", self.ramp_step, [(self.heads,)], MAX_RAMP_STEP, 0)
        b = shapes.code.log2_base.denominator
        check_integers(f"{name}.ratio", self.ratio, [(self.heads, b)], MAX_RATIO, 1)
        shapes.spikes[self.target] = rows, width // 3

    def job(self, qkv: Spikes, code: PhaseCode) -> AttentionJob:
        """Job of [images*heads] heads of spikes [images, tokens, 3*heads*head_dim]; heads vary fastest."""
        images, tokens, width = qkv.shape
        split = (images, tokens, 3, self.heads, width // 3 // self.heads)

        def part(array: NDArray[np.int8], index: int) -> NDArray[np.int8]:
            heads_first = array.reshape(split)[:, :, index].swapaxes(1, 2)
            return heads_first.reshape(-1, tokens, split[-1])

        q, k, v = (Spikes(part(qkv.sign, i), part(qkv.phase, i)) for i in range(3))
        return AttentionJob(
            code=code, window=code.steps, q=q, k=k, v=v, bias=None, allowed=None,
            ramp_step=np.tile(self.ramp_step, images), ratio=np.tile(self.ratio, (images, 1)),
        )  # fmt: skip

    def merge(self, out: Spikes, images: int) -> Spikes:
        """Spikes [images, tokens, heads*head_dim] of output spikes [images*heads, tokens, head_dim]."""
        _, tokens, head_dim = out.shape
        split = (images, self.heads, tokens, head_dim)

        def merged(array: NDArray[np.int8]) -> NDArray[np.int8]:
            return array.reshape(split).swapaxes(1, 2).reshape(images, tokens, -1)

        return Spikes(merged(out.sign), merged(out.phase))

    def run(self, run: Run) -> Spikes:
        qkv = run.spikes[self.source]
        out = run.engine(self.job(qkv, run.code)).out
        spikes = run.spikes[self.target] = self.merge(out, qkv.shape[0])
        return spikes
