"""The attention core as `sim.cores.core.Core`."""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any, Self

from numpy.typing import NDArray

from golden.attention.config import CoreConfig, from_table, to_table
from golden.attention.job import AttentionJob, AttentionSpikes, compute, prepare
from hw.attention.core import AttentionCore
from sim.cores.attention import driver, engine
from sim.cores.heads import HeadCore
from sim.timing.attention import predict, row_beats
from sim.timing.attention_activity import activity
from sim.timing.cycles import CycleReport, StageActivity
from sim.verilator.payload import Fields
from sim.verilator.simulator import Progress
from synth.design import Design
from synth.estimate import estimate


class SpikedAttentionCore(HeadCore[CoreConfig, AttentionJob, AttentionSpikes]):
    """An attention core; its job is any number of heads of one size."""

    noun = "an attention core"
    module = "attention_core"
    scheme = "spiked"
    accumulations = ("synaptic_additions", "context_additions")

    @classmethod
    def from_table(cls, table: dict[str, Any], source: str) -> Self:
        return cls(from_table(table, source))

    def to_table(self) -> dict[str, Any]:
        return to_table(self.config)

    @property
    def lanes(self) -> int:
        return self.config.lanes

    def component(self) -> AttentionCore:
        return AttentionCore(self.config)

    def latency(self, component: AttentionCore) -> dict[str, int]:
        return component.latency

    def design(self, name: str) -> Design:
        return replace(super().design(name), estimate=partial(estimate, self.config))

    def input_beats(self, job: AttentionJob) -> dict[str, Fields]:
        self.check(job)
        return driver.input_beats(job, self.config)

    def order(self, job: AttentionJob, counts: Mapping[str, int]) -> Iterator[tuple[str, int]]:
        """Of every head its descriptor, keys and values, then row by row the query and its terms."""
        for queries in row_beats(job):
            for name in ("i_head", "i_key", "i_value"):
                yield name, counts[name] // job.heads
            for beats in queries:
                yield "i_query", int(beats)
                if "i_terms" in counts:
                    yield "i_terms", counts["i_terms"] // (job.heads * job.tokens)

    def output_beats(self, job: AttentionJob) -> dict[str, int]:
        return driver.output_beats(job, self.config)

    def integers(self, job: AttentionJob, outputs: Mapping[str, Fields]) -> AttentionSpikes:
        return engine.integers(outputs, job, self.config)

    def prepare(self, q: NDArray[Any], k: NDArray[Any], v: NDArray[Any]) -> AttentionJob:
        return prepare(q, k, v, self.config.code).job

    def check(self, job: AttentionJob) -> None:
        self.config.check_job(job)

    def compute(self, job: AttentionJob) -> AttentionSpikes:
        return compute(job)

    def predict(self, job: AttentionJob) -> CycleReport:
        return predict(job, self.config)

    def activity(self, job: AttentionJob, integers: AttentionSpikes) -> StageActivity:
        return activity(job, self.config)

    def simulate(
        self, job: AttentionJob, *, waves: Path | None = None, progress: Progress | None = None
    ) -> tuple[AttentionSpikes, CycleReport]:
        return engine.run(job, self.config, waves=waves, progress=progress)
