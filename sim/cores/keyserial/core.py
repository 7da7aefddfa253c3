"""The key-serial attention core as `sim.cores.core.Core`."""

from collections.abc import Iterator, Mapping
from dataclasses import fields, replace
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from golden.attention.config import to_table
from golden.attention.job import AttentionJob, AttentionSpikes, compute, prepare
from golden.attention.key_serial import KeySerialConfig, from_table, lane_per_token
from hw.attention import payloads
from hw.keyserial.core import KeySerialCore
from hw.parts.payloads import spike
from sim.cores.attention.driver import completion
from sim.cores.heads import HeadCore
from sim.cores.keyserial import driver
from sim.cores.waves import Kind, spike_kinds
from sim.timing.cycles import CycleReport, StageActivity
from sim.timing.key_serial import predict
from sim.timing.key_serial_activity import activity
from sim.verilator.payload import Fields
from sim.verilator.result import Result


class KeySerialAttentionCore(HeadCore[KeySerialConfig, AttentionJob, AttentionSpikes]):
    """A key-serial attention core; its jobs and integers are those of the lane-parallel one."""

    noun = "a key-serial attention core"
    module = "key_serial_attention"
    places = ("head", "row")
    scheme = "key-serial"
    accumulations = ("synaptic_additions", "context_additions")
    units = (
        *("key_loader", "value_loader", "term_rows", "score_sequencer", "scores", "score_rows"),
        *("weight_sequencer", "spike_shift", "context_sequencer", "contexts", "context_rows", "threshold"),
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

    def tapped(self) -> Self:
        return type(self)(replace(self.config, taps=True))

    def component(self) -> KeySerialCore:
        return KeySerialCore(self.config)

    def kinds(self) -> dict[str, Kind]:
        code = self.config.code
        return spike_kinds(code, {"spike": spike(code), "attention": payloads.attention(self.config)})

    def input_beats(self, job: AttentionJob) -> dict[str, Fields]:
        self.check(job)
        return driver.input_beats(job, self.config)

    def order(self, job: AttentionJob, counts: Mapping[str, int]) -> Iterator[tuple[str, int]]:
        """Of every head its descriptor, keys and values, then row by row the query and its terms."""
        for _ in range(job.heads):
            for name in ("i_head", "i_key", "i_value"):
                yield name, counts[name] // job.heads
            for _ in range(job.tokens):
                yield "i_query", job.head_dim
                if "i_terms" in counts:
                    yield "i_terms", counts["i_terms"] // (job.heads * job.tokens)

    def output_beats(self, job: AttentionJob) -> dict[str, int]:
        return driver.output_beats(job, self.config)

    def shown(self, job: AttentionJob, outputs: Mapping[str, Fields]) -> dict[str, Any]:
        return driver.shown(outputs, job, self.config)

    def integers(self, job: AttentionJob, outputs: Mapping[str, Fields]) -> AttentionSpikes:
        shown = self.shown(job, outputs)
        hidden = {} if len(shown) == len(fields(AttentionSpikes)) else vars(compute(job))
        return AttentionSpikes(**hidden | shown)

    def completion(self, job: AttentionJob, result: Result) -> CycleReport:
        return completion(result, job)

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

    def fields(self, job: AttentionJob, shown: Mapping[str, Any]) -> dict[str, NDArray[Any]]:
        """Scores of masked keys are undefined."""
        found = super().fields(job, shown)
        if job.allowed is not None and "score" in found:
            found["score"] = np.ma.masked_array(found["score"], ~job.allowed)
        return found
