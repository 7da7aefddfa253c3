"""The integer attention core as `sim.cores.core.Core`."""

from collections.abc import Iterator, Mapping
from dataclasses import fields, replace
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from golden.integer.config import IntegerConfig, from_table, lane_per_token, to_table
from golden.integer.job import IntegerAttention, IntegerJob, compute, prepare
from hw.integer.core import IntegerCore
from sim.cores.heads import HeadCore
from sim.cores.integer import driver
from sim.timing.cycles import CycleReport, StageActivity
from sim.timing.integer import predict
from sim.timing.integer_activity import activity
from sim.verilator.payload import Fields
from sim.verilator.result import Result


class IntegerAttentionCore(HeadCore[IntegerConfig, IntegerJob, IntegerAttention]):
    """An integer attention core; its job is any number of heads of one size."""

    noun = "an integer attention core"
    module = "integer_attention"
    places = ("head", "row")
    scheme = "integer"
    accumulations = ("score_products", "context_products")
    units = (
        *("key_loader", "value_loader", "term_rows", "score_sequencer", "scores", "score_rows"),
        *("weight_sequencer", "exponential", "context_sequencer", "contexts", "context_rows", "divisor"),
        "output",
    )

    @classmethod
    def of_size(cls, tokens: int, head_dim: int) -> Self:
        return cls(lane_per_token(tokens, head_dim))

    @classmethod
    def from_table(cls, table: dict[str, Any], source: str) -> Self:
        return cls(from_table(table, source))

    def to_table(self) -> dict[str, Any]:
        return to_table(self.config)

    @property
    def lanes(self) -> int:
        return self.config.lanes

    @property
    def dsp(self) -> bool:
        return self.config.multiplier == "dsp"

    def tapped(self) -> Self:
        return type(self)(replace(self.config, taps=True))

    def component(self) -> IntegerCore:
        return IntegerCore(self.config)

    def input_beats(self, job: IntegerJob) -> dict[str, Fields]:
        self.check(job)
        return driver.input_beats(job, self.config)

    def order(self, job: IntegerJob, counts: Mapping[str, int]) -> Iterator[tuple[str, int]]:
        return driver.order(job, counts)

    def output_beats(self, job: IntegerJob) -> dict[str, int]:
        return driver.output_beats(job, self.config)

    def shown(self, job: IntegerJob, outputs: Mapping[str, Fields]) -> dict[str, Any]:
        return driver.shown(outputs, job)

    def integers(self, job: IntegerJob, outputs: Mapping[str, Fields]) -> IntegerAttention:
        shown = self.shown(job, outputs)
        hidden = {} if len(shown) == len(fields(IntegerAttention)) else vars(compute(job))
        return IntegerAttention(**hidden | shown)

    def completion(self, job: IntegerJob, result: Result) -> CycleReport:
        return driver.completion(result, job)

    def prepare(self, q: NDArray[Any], k: NDArray[Any], v: NDArray[Any]) -> IntegerJob:
        return prepare(q, k, v, self.config.bits).job

    def check(self, job: IntegerJob) -> None:
        self.config.check_job(job)

    def compute(self, job: IntegerJob) -> IntegerAttention:
        return compute(job)

    def predict(self, job: IntegerJob) -> CycleReport:
        return predict(job, self.config)

    def activity(self, job: IntegerJob, integers: IntegerAttention) -> StageActivity:
        return activity(job, self.config)

    def fields(self, job: IntegerJob, shown: Mapping[str, Any]) -> dict[str, NDArray[Any]]:
        """Distances of masked keys are undefined."""
        found = super().fields(job, shown)
        if job.allowed is not None and "distance" in found:
            found["distance"] = np.ma.masked_array(found["distance"], ~job.allowed)
        return found
