"""The stochastic engine as `sim.cores.core.Core`."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Self

from numpy.typing import NDArray

from golden.stochastic.attention import StochasticJob, StochasticSpikes, compute, prepare
from golden.stochastic.config import StochasticConfig
from golden.stochastic.table import from_table, to_table
from hw.stochastic.core import StochasticAttention
from sim.cores.heads import HeadCore
from sim.cores.rtl import Run
from sim.cores.stochastic.beats import by_token, job_beats, output_spikes
from sim.timing.cycles import CycleReport, StageActivity
from sim.timing.stochastic import predict, row_report, slots_of
from sim.timing.stochastic_activity import activity
from sim.verilator.payload import Fields
from sim.verilator.result import Result


@dataclass(frozen=True)
class StochasticCore(HeadCore[StochasticConfig, StochasticJob, StochasticSpikes]):
    """A stochastic engine; its job is any number of heads, prepared for its configuration.

    Its generators start at the plan's seed and run on from job to job: `first_head` of a job counts
    the heads since the last reset.

    Attributes:
        taps: with a port that shows the scores.
    """

    noun = "a stochastic engine"
    module = "stochastic_attention"
    places = ("step", "head", "row")
    scheme = "stochastic"
    rates = True
    accumulations = ("score_coincidences", "output_coincidences")

    taps: bool = False

    @classmethod
    def of_size(cls, tokens: int, head_dim: int) -> Self:
        return cls(StochasticConfig(tokens=tokens, head_dim=head_dim, rows=tokens))

    @classmethod
    def from_table(cls, table: dict[str, Any], source: str) -> Self:
        return cls(from_table(table, source))

    def to_table(self) -> dict[str, Any]:
        return to_table(self.config)

    def tapped(self) -> Self:
        return replace(self, taps=True)

    def component(self) -> StochasticAttention:
        return StochasticAttention(self.config, taps=self.taps)

    def latency(self, component: StochasticAttention) -> dict[str, int]:
        return {"head": component.latency}

    def input_beats(self, job: StochasticJob) -> dict[str, Fields]:
        assert job.config == self.config, "prepared for this engine"
        return {"i": job_beats(job)}

    def output_beats(self, job: StochasticJob) -> dict[str, int]:
        slots = slots_of(job)
        return {"o": slots * self.config.head_dim} | ({"o_score": slots} if self.taps else {})

    def shown(self, job: StochasticJob, outputs: Mapping[str, Fields]) -> dict[str, Any]:
        score = {"score": by_token(outputs["o_score"], job)} if self.taps else {}
        return score | {"out": output_spikes(outputs["o"], job)}

    def integers(self, job: StochasticJob, outputs: Mapping[str, Fields]) -> StochasticSpikes:
        hidden = {} if self.taps else vars(compute(job))
        return StochasticSpikes(**hidden | self.shown(job, outputs))

    def completion(self, job: StochasticJob, result: Result) -> CycleReport:
        return row_report(result.outputs["o"].cycles.reshape(-1, job.config.head_dim)[:, -1], job)

    def prepare(self, q: NDArray[Any], k: NDArray[Any], v: NDArray[Any]) -> StochasticJob:
        return prepare(q, k, v, self.config, steps=self.config.steps)

    def compute(self, job: StochasticJob) -> StochasticSpikes:
        return compute(job)

    def predict(self, job: StochasticJob) -> CycleReport:
        return predict(job)

    def activity(self, job: StochasticJob, integers: StochasticSpikes) -> StageActivity:
        return activity(job, integers)

    def run_in_turn(self, jobs: Sequence[StochasticJob], **how: Any) -> list[Run[StochasticSpikes]]:
        begun = 0
        for job in jobs:
            assert job.first_head == begun, "the generators run on from reset"
            begun += job.heads
        return super().run_in_turn(jobs, **how)
