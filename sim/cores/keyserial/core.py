"""The key-serial attention core as `sim.cores.core.Core`."""

from collections.abc import Iterator, Mapping
from typing import Any, Self

from golden.attention.job import AttentionJob, AttentionSpikes
from golden.attention.key_serial import KeySerialConfig, from_table, lane_per_token
from hw.keyserial.core import KeySerialCore
from sim.cores.integer.driver import order, output_beats
from sim.cores.keyserial import driver
from sim.cores.spiked import SpikedCore
from sim.timing.cycles import CycleReport, StageActivity
from sim.timing.key_serial import predict
from sim.timing.key_serial_activity import activity
from sim.verilator.payload import Fields


class KeySerialAttentionCore(SpikedCore[KeySerialConfig]):
    """A key-serial attention core; its jobs and integers are those of the lane-parallel one."""

    noun = "a key-serial attention core"
    module = "key_serial_attention"
    config_type = KeySerialConfig
    scheme = "key-serial"
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

    def component(self) -> KeySerialCore:
        return KeySerialCore(self.config)

    def input_beats(self, job: AttentionJob) -> dict[str, Fields]:
        self.check(job)
        return driver.input_beats(job, self.config)

    def order(self, job: AttentionJob, counts: Mapping[str, int]) -> Iterator[tuple[str, int]]:
        return order(job, counts)

    def output_beats(self, job: AttentionJob) -> dict[str, int]:
        return output_beats(job, self.config)

    def shown(self, job: AttentionJob, outputs: Mapping[str, Fields]) -> dict[str, Any]:
        return driver.shown(outputs, job, self.config)

    def predict(self, job: AttentionJob) -> CycleReport:
        return predict(job, self.config)

    def activity(self, job: AttentionJob, integers: AttentionSpikes) -> StageActivity:
        return activity(job, self.config)
