"""The attention core as `sim.cores.core.Core`."""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from functools import partial
from typing import Any, Self

from golden.attention.config import CoreConfig, from_table, to_table
from golden.attention.job import AttentionJob, AttentionSpikes
from hw.attention.core import AttentionCore
from sim.cores.attention import driver, engine
from sim.cores.core import Core
from sim.timing.attention import row_beats
from sim.verilator.payload import Fields
from synth.design import Design
from synth.estimate import estimate


class SpikedAttentionCore(Core[CoreConfig, AttentionJob, AttentionSpikes]):
    """An attention core; its job is any number of heads of one size."""

    noun = "an attention core"
    module = "attention_core"

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
        self.config.check_job(job)
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
