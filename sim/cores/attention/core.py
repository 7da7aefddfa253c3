"""The attention core as `sim.cores.core.Core`."""

from collections.abc import Iterator, Mapping
from typing import Any, Self

from golden.attention.config import CoreConfig, from_table, lane_per_token
from golden.attention.job import AttentionJob, AttentionSpikes
from hw.attention.core import AttentionCore
from sim.cores.attention import driver
from sim.cores.spiked import SpikedCore
from sim.timing.attention import predict, row_beats
from sim.timing.attention_activity import activity
from sim.timing.cycles import CycleReport, StageActivity
from sim.verilator.payload import Fields
from synth.boards import Family
from synth.estimate import estimate
from synth.netlist import Resources


class SpikedAttentionCore(SpikedCore[CoreConfig]):
    """An attention core; its job is any number of heads of one size."""

    noun = "an attention core"
    module = "attention_core"
    config_type = CoreConfig
    scheme = "spiked"
    units = (
        *("key_loader", "value_loader", "query_rows", "terms_loader", "score", "cluster", "winner"),
        *("winner_collector", "winner_queue", "ramp", "context", "context_rows", "threshold", "encoder"),
    )

    @classmethod
    def of_size(cls, tokens: int, head_dim: int) -> Self:
        return cls(lane_per_token(tokens, head_dim))

    @classmethod
    def from_table(cls, table: dict[str, Any], source: str) -> Self:
        return cls(from_table(table, source))

    def component(self) -> AttentionCore:
        return AttentionCore(self.config)

    def latency(self, component: AttentionCore) -> dict[str, int]:
        return component.latency

    def estimate(self, family: Family) -> Resources:
        return estimate(self.config, family)

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

    def shown(self, job: AttentionJob, outputs: Mapping[str, Fields]) -> dict[str, Any]:
        return driver.shown(outputs, job, self.config)

    def predict(self, job: AttentionJob) -> CycleReport:
        return predict(job, self.config)

    def activity(self, job: AttentionJob, integers: AttentionSpikes) -> StageActivity:
        return activity(job, self.config)
