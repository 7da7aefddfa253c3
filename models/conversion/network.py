"""A float model and calibration samples become a `golden.network.network.Network`."""

import re
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from golden.attention.job import AttentionJob, AttentionSpikes, compute
from golden.code import PhaseCode, Spikes, check_range
from golden.errors import InputError
from golden.network.attention import Attention
from golden.network.checks import WordError
from golden.network.layers import Linear
from golden.network.limits import STREAM_BITS
from golden.network.network import Network, encode_image, encode_stream, first_rows, run_network
from golden.network.tensors import IMAGE, Output
from models.conversion.aims import Aim
from models.conversion.builder import Builder
from models.conversion.correct import correct
from models.conversion.lower import Ends, lower
from models.conversion.reading import Reading
from models.conversion.record import record
from models.conversion.thresholds import LEAST_STREAM_BITS, MOST_STREAM_BITS
from models.floating.engine import Activity
from models.floating.model import Model
from models.floating.recording import Ranges
from models.verdict import RefusedModel, refusal

# Raised when a model, samples and a code become other integers: outputs that were kept are not theirs
CONVERSION = 2


@dataclass(frozen=True, kw_only=True, eq=False)
class IntegerModel:
    """A model in integers.

    Attributes:
        network: everything between what enters and the scores.
        ends: what leads into it and out of it.
        nodes: per layer, the nodes of the float model that it computes.
        readings: per layer, what its spikes, or units of the stream, stand for, None of scores; empty where
            the model was read from a folder, which does not hold them.
    """

    network: Network
    ends: Ends
    nodes: list[tuple[str, ...]]
    readings: list[Reading | None] = field(default_factory=list)

    def of_rows(self, rows: int) -> Network:
        """The network for samples of `rows` rows."""
        return self.network if rows == self.network.tokens else shortened(self.network, rows)

    def encode(self, model: Model, batch: NDArray[Any]) -> Spikes | NDArray[np.int64]:
        """What enters the network for a batch of samples, which may have fewer rows than it.

        Raises:
            InputError: more rows, or fewer in a model whose pooling counts them.
        """
        rows = model.entering(batch)
        tokens, most = rows.shape[-2], self.network.tokens
        if tokens > most or (self.ends.all_rows and tokens != most):
            few = "" if self.ends.all_rows else "at most "
            raise InputError(f"samples must have {few}{most} tokens, not {tokens}")
        network = self.of_rows(rows.shape[-2])
        return encode_image(network, rows) if network.entry == IMAGE else encode_stream(network, rows)

    def outputs(self, scores: NDArray[np.int64], tokens: int) -> NDArray[np.float64]:
        """Floats of the scores of samples of `tokens` tokens."""
        ends = self.ends
        values = scores * ends.unit
        if ends.mean is not None:
            values = values / tokens + ends.mean
        if ends.last:
            values = values[..., -1, :]
        if ends.length_one:
            values = values / np.linalg.norm(values, axis=-1, keepdims=True)
        return np.asarray(values)

    def run(
        self, model: Model, batch: NDArray[Any], activity: dict[str, Activity] | None = None
    ) -> NDArray[np.float64]:
        """What `model.run` gives of a batch, by the integers of the network; adds to `activity`, if any."""
        entry = self.encode(model, batch)
        tokens, jobs = entry.shape[-2], list[tuple[AttentionJob, AttentionSpikes]]()

        def engine(job: AttentionJob) -> AttentionSpikes:
            jobs.append((job, compute(job)))
            return jobs[-1][1]

        found = run_network(self.of_rows(tokens), entry, engine)
        if activity is not None:
            self.count(entry, found.outputs, jobs, activity)
        return self.outputs(found.scores, tokens)

    def count(
        self,
        entry: Spikes | NDArray[np.int64],
        outputs: list[Output],
        jobs: list[tuple[AttentionJob, AttentionSpikes]],
        activity: dict[str, Activity],
    ) -> None:
        """Spikes that entered each node, by node and operand as `SpikingEngine` names them."""
        steps, attended = self.network.code.steps, iter(jobs)
        spikes: dict[str, Spikes] = {IMAGE: entry} if isinstance(entry, Spikes) else {}

        def add(name: str, phase: NDArray[np.int8]) -> None:
            activity.setdefault(name, Activity()).add(phase, steps)

        for layer, nodes, output in zip(self.network.layers, self.nodes, outputs, strict=True):
            if isinstance(layer, Linear):
                for node in nodes:
                    add(f"{node}.x", spikes[layer.source].phase)
            elif isinstance(layer, Attention):
                job, found = next(attended)
                fired = np.where(found.attn_phase < 0, steps, found.attn_phase).astype(np.int8)
                parts = {"q": job.q.phase, "k": job.k.phase, "v": job.v.phase, "attention": fired}
                for operand, phase in (parts | {"out": found.out.phase}).items():
                    add(f"{nodes[0]}.{operand}", phase)
            if isinstance(output, Spikes):
                spikes[layer.target] = output


# Data sets bring sentences of a few lengths again and again
shortened = lru_cache(maxsize=64)(first_rows)


def convert_network(
    model: Model,
    batches: Iterable[NDArray[Any]],
    code: PhaseCode,
    weight_bits: int = 8,
    tokens: int | None = None,
    *,
    learned: bool = False,
) -> IntegerModel:
    """Integers of a model.

    Args:
        model: the float model.
        batches: calibration samples, not those of a test.
        code: phase code of every spike.
        weight_bits: width of a weight.
        tokens: the most rows of an inference, where samples differ; what the model, else the longest of the
            samples has, when absent.
        learned: weights and biases are learned from the samples too, see `integers_of`.

    Raises:
        InputError: no samples.
        RefusedModel: see `record` and `integers_of`.
    """
    samples = list(batches)
    ranges, _ = record(model, samples)
    return integers_of(
        model, ranges, rows_of(model, samples, tokens), code, weight_bits, samples if learned else None
    )


def rows_of(model: Model, samples: list[NDArray[Any]], tokens: int | None = None) -> int:
    """The most rows of an inference; see `convert_network`.

    Raises:
        InputError: more tokens than the model has places for, fewer than a sample has, or a number for
            images, which have their own.
    """
    kind, length = model.samples.kind, model.samples.length
    if kind == "images":
        if tokens is not None:
            raise InputError("images have as many tokens as patches, tokens must be absent")
        return model.entering(samples[0]).shape[-2]
    if kind == "sentences":
        check_range("tokens", length if tokens is None else tokens, 1, length)
    longest = max(model.entering(batch).shape[-2] for batch in samples)
    if tokens is not None and tokens < longest:
        raise InputError(f"tokens must be at least those of the longest sample ({longest}), not {tokens}")
    return tokens or length or longest


def alike(samples: list[NDArray[Any]]) -> list[NDArray[Any]]:
    """Batches of samples, those of one shape joined."""
    shapes: dict[tuple[int, ...], list[NDArray[Any]]] = {}
    for sample in samples:
        shapes.setdefault(sample.shape[1:], []).append(sample)
    return [np.concatenate(batches) for batches in shapes.values()]


def corrected(
    made: IntegerModel, aims: list[Aim | None], model: Model, samples: list[NDArray[Any]]
) -> IntegerModel:
    """With weights and biases learned from samples, see `models.conversion.correct`."""
    batches = alike(samples)
    entries = [made.encode(model, batch) for batch in batches]
    ends, per_row = made.ends, made.ends.mean is not None
    layers, lack = correct(made.network, aims, made.nodes, model, batches, entries, per_row=per_row)
    if ends.mean is not None:
        ends = replace(ends, mean=ends.mean + lack * ends.unit)
    return replace(made, network=replace(made.network, layers=tuple(layers)), ends=ends)


def integers_of(
    model: Model,
    ranges: Ranges,
    rows: int,
    code: PhaseCode,
    weight_bits: int = 8,
    samples: list[NDArray[Any]] | None = None,
) -> IntegerModel:
    """Integers of a model from recorded ranges.

    Args:
        samples: from which weights and biases, and a layer for the lobes of GELU, are learned; None for none.

    Raises:
        RefusedModel: a node that the integers cannot say, or whose integers leave their words.
    """
    bits = MOST_STREAM_BITS
    while True:
        make = Builder(ranges, code, weight_bits, bits, learned=samples is not None)
        ends = lower(model, make, rows)
        if make.problems:
            raise refused(make, make.problems)
        try:
            network = Network(
                code=code, weight_bits=weight_bits, tokens=rows, width=ends.width, scale=ends.scale,
                entry=ends.entry, limit=ends.limit, pixel_codes=ends.pixel_codes, layers=tuple(make.layers),
            )  # fmt: skip
            made = IntegerModel(network=network, ends=ends, nodes=make.nodes, readings=make.readings)
            return made if samples is None else corrected(made, make.aims, model, samples)
        except WordError as error:
            # a coarser unit leaves more of the word to sums that no sample reaches, but that could be
            bits -= error.missing
            if error.bits != STREAM_BITS or bits < LEAST_STREAM_BITS:
                raise refused(make, [named(make, error)]) from None
        except InputError as error:
            raise refused(make, [named(make, error)]) from None


def named(make: Builder, error: InputError) -> tuple[str, str]:
    """Node and reason of an error of a layer."""
    text = str(error)
    found = re.match(r"layer (\d+)[:.]?", text)
    if found is None:
        return "network", text
    nodes = make.nodes[int(found[1])]
    return nodes[0], f"{', '.join(nodes)}: {text[found.end() :].strip()}{remedy(error)}"


def remedy(error: InputError) -> str:
    """What a user can do about integers that leave their word."""
    if not isinstance(error, WordError):
        return ""
    if error.bits == STREAM_BITS:
        return "; samples that reach larger values set a coarser unit"
    return f"; --steps times --log2-base, or --weight-bits, must be smaller by {error.missing}"


def refused(make: Builder, problems: list[tuple[str, str]]) -> RefusedModel:
    return RefusedModel(refusal(problems), [node for nodes in make.nodes for node in nodes], problems)
