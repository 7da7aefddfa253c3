"""Closed form against the literal time-stepped procedure on the attention jobs of real samples."""

import time
from dataclasses import dataclass, field
from typing import Any

from numpy.typing import NDArray
from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]

from golden import literal
from golden.attention import AttentionJob, AttentionSpikes, compute
from golden.conversion.convert import Conversion
from golden.conversion.layouts import Model
from golden.conversion.run import run
from golden.models.engine import SpikingEngine


@dataclass
class LiteralTimes:
    """Seconds both took for the same jobs, and the output codes in which they differ."""

    closed_form: float = 0.0
    literal: float = 0.0
    codes: int = 0
    codes_differ: int = field(default=0)

    @property
    def ratio(self) -> float:
        """How many times faster the closed form is."""
        return self.literal / self.closed_form


class TimingEngine(SpikingEngine):
    """Runs every attention job by both, and goes on with the closed form."""

    def __init__(self, conversion: Conversion) -> None:
        super().__init__({}, conversion.attentions)
        self.times = LiteralTimes()

    def compute(self, job: AttentionJob) -> AttentionSpikes:
        start = time.perf_counter()
        closed = compute(job)
        between = time.perf_counter()
        slow = literal.attention(job)
        self.times.literal += time.perf_counter() - between
        self.times.closed_form += between - start
        self.times.codes += closed.out.phase.size
        self.times.codes_differ += int((closed.out.phase != slow.out.phase).sum())
        return closed


def time_literal(model: Model, conversion: Conversion, samples: list[NDArray[Any]]) -> LiteralTimes:
    """Both procedures on the attention of some samples, on one thread."""
    engine = TimingEngine(conversion)
    with threadpool_limits(limits=1):
        run(model, samples[0][None], SpikingEngine({}, conversion.attentions))  # builds the tables
        for sample in samples:
            run(model, sample[None], engine)
    return engine.times
