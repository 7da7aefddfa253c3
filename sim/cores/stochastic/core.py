"""The stochastic engine as `sim.cores.core.Core`."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Self

from numpy.typing import NDArray

from golden.stochastic.attention import StochasticJob, StochasticSpikes, compute, prepare
from golden.stochastic.config import StochasticConfig
from golden.stochastic.table import from_table, to_table
from hw.stochastic.core import StochasticAttention
from sim.cores.heads import HeadCore
from sim.cores.stochastic import rtl
from sim.cores.stochastic.beats import job_beats
from sim.timing.cycles import CycleReport, StageActivity
from sim.timing.stochastic import predict, slots_of
from sim.timing.stochastic_activity import activity
from sim.verilator.payload import Fields
from sim.verilator.simulator import Progress


class StochasticCore(HeadCore[StochasticConfig, StochasticJob, StochasticSpikes]):
    """A stochastic engine; its job is any number of heads, prepared for its configuration.

    Its generators start at the plan's seed and run on from job to job: `first_head` of a job counts
    the heads since the last reset.
    """

    noun = "a stochastic engine"
    module = "stochastic_attention"
    scheme = "stochastic"
    accumulations = ("score_coincidences", "output_coincidences")

    @classmethod
    def from_table(cls, table: dict[str, Any], source: str) -> Self:
        return cls(from_table(table, source))

    def to_table(self) -> dict[str, Any]:
        return to_table(self.config)

    def component(self) -> StochasticAttention:
        return StochasticAttention(self.config)

    def latency(self, component: StochasticAttention) -> dict[str, int]:
        return {"head": component.latency}

    def input_beats(self, job: StochasticJob) -> dict[str, Fields]:
        assert job.config == self.config, "prepared for this engine"
        return {"i": job_beats(job)}

    def output_beats(self, job: StochasticJob) -> dict[str, int]:
        return {"o": slots_of(job) * self.config.head_dim}

    def integers(self, job: StochasticJob, outputs: Mapping[str, Fields]) -> StochasticSpikes:
        return rtl.spikes(outputs, job)

    def prepare(self, q: NDArray[Any], k: NDArray[Any], v: NDArray[Any]) -> StochasticJob:
        return prepare(q, k, v, self.config, steps=self.config.steps)

    def compute(self, job: StochasticJob) -> StochasticSpikes:
        return compute(job)

    def predict(self, job: StochasticJob) -> CycleReport:
        return predict(job)

    def activity(self, job: StochasticJob, integers: StochasticSpikes) -> StageActivity:
        return activity(job, integers)

    def simulate(
        self, job: StochasticJob, *, waves: Path | None = None, progress: Progress | None = None
    ) -> tuple[StochasticSpikes, CycleReport]:
        return rtl.run(job, waves=waves, progress=progress)
