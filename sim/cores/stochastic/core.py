"""The stochastic engine as `sim.cores.core.Core`."""

from collections.abc import Mapping
from typing import Any, Self

from golden.stochastic.attention import StochasticJob, StochasticSpikes
from golden.stochastic.config import StochasticConfig
from golden.stochastic.table import from_table, to_table
from hw.stochastic.core import StochasticAttention
from sim.cores.core import Core
from sim.cores.stochastic import rtl
from sim.cores.stochastic.beats import job_beats
from sim.timing.stochastic import slots_of
from sim.verilator.payload import Fields


class StochasticCore(Core[StochasticConfig, StochasticJob, StochasticSpikes]):
    """A stochastic engine; its job is any number of heads, prepared for its configuration.

    Its generators start at the plan's seed and run on from job to job: `first_head` of a job counts
    the heads since the last reset.
    """

    noun = "a stochastic engine"
    module = "stochastic_attention"

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
