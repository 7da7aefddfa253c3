"""A whole evaluation by the closed form and by the literal time-stepped algorithm, side by side."""

import time
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]

from golden.attention import literal
from golden.attention.job import AttentionJob, HeadScales, compute
from golden.code import Spikes
from golden.network.linear import IntegerLinear
from golden.network.neuron import spike_values
from models.conversion.convert import Conversion
from models.floating.engine import SpikingEngine
from models.floating.model import Model


@dataclass(frozen=True, kw_only=True)
class LiteralTimes:
    """Both procedures on the same samples.

    Attributes:
        parts: what was in spikes.
        samples: how many.
        closed_form, literal: seconds for whole evaluations, float parts included.
        codes, codes_differ: output spikes of attention, and those in which the two differ where they are
            given the same job.
        difference: largest difference of the model's outputs, over the largest output.
    """

    parts: str
    samples: int
    closed_form: float
    literal: float
    codes: int
    codes_differ: int
    difference: float

    @property
    def ratio(self) -> float:
        """How many times faster the closed form is."""
        return self.literal / self.closed_form


class LiteralEngine(SpikingEngine):
    """Attention and dense layers time step by time step; compares attention with the closed form."""

    def __init__(self, conversion: Conversion) -> None:
        super().__init__(conversion.linears, conversion.attentions, conversion.norms)
        self.codes = self.codes_differ = 0
        self.comparing = 0.0  # seconds that are no part of the procedure

    def fire(self, job: AttentionJob, scales: HeadScales) -> tuple[NDArray[np.int8], Spikes]:
        slow = literal.attention(job, scales)
        start = time.perf_counter()
        closed = compute(job)
        self.codes += closed.out.phase.size
        self.codes_differ += int((closed.out.phase != slow.out.phase).sum())
        self.comparing += time.perf_counter() - start
        return np.where(slow.attention.sign > 0, slow.attention.phase, np.int8(-1)), slow.out

    def potentials(self, spikes: Spikes, layer: IntegerLinear) -> NDArray[np.floating]:
        weight = layer.weight.astype(np.float64) * float(spike_values(layer.code)[0])
        return literal.integrate_weights(spikes, weight, layer.code) + layer.bias


def time_literal(model: Model, conversion: Conversion, samples: list[NDArray[Any]]) -> LiteralTimes:
    """Both procedures on some samples, one after the other, on one thread."""
    fast, slow = conversion.engine(), LiteralEngine(conversion)
    seconds = []
    with threadpool_limits(limits=1):
        model.run(samples[0][None], conversion.engine())  # builds the tables
        outputs = []
        for engine in (fast, slow):
            start = time.perf_counter()
            outputs.append(np.concatenate([model.run(sample[None], engine).ravel() for sample in samples]))
            seconds.append(time.perf_counter() - start)
    return LiteralTimes(
        parts=conversion.scheme.parts,
        samples=len(samples),
        closed_form=seconds[0],
        literal=seconds[1] - slow.comparing,
        codes=slow.codes,
        codes_differ=slow.codes_differ,
        difference=float(np.abs(outputs[1] - outputs[0]).max() / np.abs(outputs[0]).max()),
    )
