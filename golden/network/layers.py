"""Integer layers of a spiking network.

Source: SpikedAttention (NeurIPS 2024), sections 3.1 and 3.4: accumulate-only neurons with static
weights, activation functions as threshold lists. Norms in spikes go beyond the paper.

A linear layer (`golden.network.neuron`) is told apart by what becomes of its potentials V: one-spike
codes (`golden.network.octave.fire`), additions to the residual stream, or class scores.
"""

from dataclasses import dataclass, replace
from typing import ClassVar, Self

import numpy as np
from numpy.typing import NDArray

from golden.code import PhaseCode, Spikes
from golden.errors import InputError, quoted
from golden.network.checks import check_integers, check_source, check_target, check_thresholds, check_word
from golden.network.limits import MAX_BIAS, MAX_FEATURES, MAX_SHIFT, POTENTIAL_BITS, STREAM_BITS
from golden.network.neuron import Neurons, most_octaves, received, spike_values
from golden.network.norm import NORM_KINDS, NormKind, centred, row_shift
from golden.network.octave import fire
from golden.network.rows import check_gather, gathered, gathered_rows, present_rows
from golden.network.tensors import SCORES, STREAM, Run, Shapes


@dataclass(frozen=True, kw_only=True, eq=False)
class Linear(Neurons):
    """What linear layers have in common.

    Attributes:
        source: name of the spikes that enter, [rows, width].
        gather: int64 [rows, taps], the rows of the source that enter row r, one after the other, -1 for
            none (`golden.network.rows`); None where row r is that of the source.
        weight: int16 [outputs, taps*width].
        bias: int64 [outputs], or [rows, outputs] where position terms are in it.
    """

    source: str
    gather: NDArray[np.int64] | None = None

    def bound(self, name: str, rows: int, shapes: Shapes) -> NDArray[np.int64]:
        """Largest magnitude of each output's potentials, over all inputs of `rows` rows that add up.

        Raises:
            InputError: a potential could leave its word.
        """
        # plain integers: they may leave 64 bits before they are found too large
        added = [a * rows for a in self.reach]
        bias = np.abs(np.atleast_2d(self.bias)).max(axis=0)
        peak = int(spike_values(shapes.code)[0])
        potential = [a * peak + int(b) for a, b in zip(added, bias, strict=True)]
        check_word(f"{name}: the potential", max(potential), POTENTIAL_BITS)
        shapes.accumulator = max(shapes.accumulator, max(added) << most_octaves(shapes.code))
        shapes.potential = max(shapes.potential, *potential)
        return np.array(potential, dtype=np.int64)

    def inputs(self, run: Run) -> Spikes:
        """Spikes [images, rows, inputs] of a run."""
        return gathered(run.spikes[self.source], self.gather, run.code.steps)

    def present(self, run: Run) -> NDArray[np.bool_] | None:
        """Rows [images, rows] that are computed; None for all."""
        return present_rows(run.present.get(self.source), self.gather)

    def first_rows(self, rows: int) -> Self:
        return replace(self, bias=self.bias[:rows]) if self.bias.ndim == 2 and self.gather is None else self

    def check_neurons(self, name: str, shapes: Shapes, *, by_row: bool = True) -> int:
        """Rows of the layer; raise InputError if map, weights or bias do not belong to the source."""
        rows, width = check_source(self.source, name, shapes)
        rows, taps = check_gather(name, self.gather, rows)
        inputs = taps * width
        if self.weight.ndim != 2 or not 1 <= self.outputs <= MAX_FEATURES:
            raise InputError(
                f"{name}.weight must be [1..{MAX_FEATURES} outputs, inputs], not {list(self.weight.shape)}"
            )
        if self.weight.shape[1] != inputs:
            of = "the width" if taps == 1 else f"{taps} times the width"
            raise InputError(
                f"{name} must have {inputs} inputs, {of} of {quoted(self.source)}, not {self.weight.shape[1]}"
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
        self.bound(name, 1, shapes)
        shapes.spikes[self.target] = rows, self.outputs

    def run(self, run: Run) -> Spikes:
        potential = self.potentials(self.inputs(run), run.code)
        spikes = fire(potential, self.levels, self.offset, run.code, signed=self.signed)
        return run.enter(self.target, spikes, self.present(run))


@dataclass(frozen=True, kw_only=True, eq=False)
class StreamLinear(Linear):
    """Neurons that add to the residual stream: x += floor((V + 2**(s-1)) / 2**s).

    Attributes:
        shift: s, int64 [outputs].
        fresh: the stream is set anew, of this layer's rows and width, as it begins where none enters; after
            a norm its gain and offset are weights and a bias like any other.
    """

    shift: NDArray[np.int64]
    fresh: bool = False
    target: ClassVar[str] = STREAM

    def check(self, name: str, shapes: Shapes) -> None:
        rows = self.check_neurons(name, shapes)
        check_integers(f"{name}.shift", self.shift, [(self.outputs,)], MAX_SHIFT, 0)
        if shapes.stream is None and not self.fresh:
            raise InputError(f"{name}: the layer that begins the stream must be fresh")
        if not self.fresh and shapes.stream != (rows, self.outputs):
            made = f"{rows} rows of {self.outputs} outputs"
            raise InputError(
                f"{name} must have the shape of the stream, {list(shapes.stream or ())}, not {made}"
            )
        terms = int(self.terms(self.bound(name, 1, shapes)).max()) + 1
        reached = terms + (0 if self.fresh else shapes.stream_bound)
        check_word(f"{name}: the residual stream", reached, STREAM_BITS)
        shapes.stream, shapes.stream_bound = (rows, self.outputs), reached
        shapes.residual = max(shapes.residual, reached)

    def terms(self, potential: NDArray[np.int64]) -> NDArray[np.int64]:
        """What potentials add to the stream."""
        half = (np.int64(1) << self.shift) >> 1
        return (potential + half) >> self.shift

    def run(self, run: Run) -> NDArray[np.int64]:
        terms, present = self.terms(self.potentials(self.inputs(run), run.code)), self.present(run)
        if self.fresh:
            run.begin_stream(terms, present)
        else:
            run.stream = run.stream + (terms if present is None else np.where(present[..., None], terms, 0))
        run.stream = run.after_sum(run.stream)
        return run.stream


@dataclass(frozen=True, kw_only=True, eq=False)
class ScoreLinear(Linear):
    """Class scores: potentials of every row, or of all of them together.

    Attributes:
        pooled: potentials accumulate over all rows, and the bias [outputs] is added once.
    """

    pooled: bool = True
    target: ClassVar[str] = SCORES

    def check(self, name: str, shapes: Shapes) -> None:
        rows = self.check_neurons(name, shapes, by_row=not self.pooled)
        self.bound(name, rows if self.pooled else 1, shapes)
        shapes.scores = (self.outputs,) if self.pooled else (rows, self.outputs)

    def potentials(self, spikes: Spikes, code: PhaseCode) -> NDArray[np.int64]:
        """V, int64 [..., outputs] if pooled, else [..., rows, outputs], of spikes [..., rows, inputs]."""
        inputs = received(spikes, code)
        return self.integrate(inputs.sum(axis=-2) if self.pooled else inputs)

    def run(self, run: Run) -> NDArray[np.int64]:
        """int64 [images, outputs], not pooled [images, rows, outputs], 0 where nothing is computed."""
        inputs, present = self.inputs(run), self.present(run)
        if present is not None and self.pooled:
            there = present[..., None]
            inputs = Spikes(np.where(there, inputs.sign, np.int8(0)), inputs.phase)
        potential = self.potentials(inputs, run.code)
        return potential if present is None or self.pooled else np.where(present[..., None], potential, 0)


@dataclass(frozen=True, kw_only=True, eq=False)
class Norm:
    """Residual stream to spikes; its falling threshold carries the deviation of the row.

    Attributes:
        target: name of the spikes that leave.
        kind: "fixed" (an affine norm folded into the neighbours: a plain encoder), "rms", "layer".
        offset: int64 [taps*width], place of the first threshold per channel.
        levels: int64 [T].
        gather: int64 [rows, taps], the rows of the stream that make up a row, one after the other, -1 for
            zeros (`golden.network.rows`); None where row r is that of the stream.
    """

    target: str
    kind: NormKind
    offset: NDArray[np.int64]
    levels: NDArray[np.int64]
    gather: NDArray[np.int64] | None = None
    source: ClassVar[str] = STREAM

    def check(self, name: str, shapes: Shapes) -> None:
        if shapes.stream is None:
            raise InputError(f"{name}: a norm needs a stream, which an earlier layer or the entry makes")
        check_target(self.target, name)
        if self.kind not in NORM_KINDS:
            raise InputError(f"{name}.kind must be one of {', '.join(NORM_KINDS)}, not {quoted(self.kind)}")
        rows, taps = check_gather(name, self.gather, shapes.stream[0])
        width = taps * shapes.stream[1]
        if width > MAX_FEATURES:
            raise InputError(f"{name} must have at most {MAX_FEATURES} channels, not {width}")
        check_thresholds(name, self.offset, self.levels, width, shapes.code)
        shapes.spikes[self.target] = rows, width

    def first_rows(self, rows: int) -> Self:
        """Rows of the stream one by one stay so; others are taken from wherever they are."""
        gather = self.gather
        if gather is None or (gather != np.arange(len(gather))[:, None]).any():
            return self
        return replace(self, gather=gather[:rows])

    def normalise(self, stream: NDArray[np.int64], code: PhaseCode) -> Spikes:
        """Spikes [..., tokens, width] of the residual stream."""
        values = centred(stream, self.kind)
        shift = row_shift(values, self.kind, code)
        return fire(values, self.levels, self.offset + shift[..., None], code, signed=True)

    def run(self, run: Run) -> Spikes:
        present = present_rows(run.present.get(STREAM), self.gather)
        stream = run.stream if self.gather is None else gathered_rows(run.stream, self.gather, 0)
        return run.enter(self.target, self.normalise(stream, run.code), present)


def reads_twice(layer: Norm) -> bool:
    """Whether a norm of the kind "layer" reads one row of the stream twice for each of its rows."""
    gather = layer.gather
    if layer.kind != "layer" or gather is None or gather.shape[1] != 2:
        return False
    return np.array_equal(gather[:, 0], gather[:, 1])
