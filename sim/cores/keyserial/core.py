"""The key-serial attention core as `sim.cores.core.Core`."""

from collections.abc import Iterator, Mapping
from typing import Any

from golden.attention.job import AttentionJob
from hw.attention import payloads
from hw.keyserial.core import KeySerialCore
from hw.parts.payloads import spike
from sim.cores.attention.core import SpikedAttentionCore
from sim.cores.keyserial import driver
from sim.cores.waves import Kind, spike_kinds
from sim.timing.cycles import CycleReport
from sim.timing.key_serial import predict
from sim.verilator.payload import Fields
from synth.families import Family


class KeySerialAttentionCore(SpikedAttentionCore):
    """A key-serial attention core; jobs and integers are those of the lane-parallel one."""

    noun = "a key-serial attention core"
    module = "key_serial_attention"
    units = (
        *("key_loader", "value_loader", "term_rows", "score_sequencer", "scores", "score_rows"),
        *("weight_sequencer", "spike_shift", "context_sequencer", "contexts", "context_rows", "threshold"),
        "output",
    )

    def component(self) -> KeySerialCore:
        return KeySerialCore(self.config)

    def latency(self, component):
        return {}

    def estimate(self, family: Family) -> None:
        return None

    def input_beats(self, job: AttentionJob) -> dict[str, Fields]:
        self.check(job)
        return driver.input_beats(job, self.config)

    def output_beats(self, job: AttentionJob) -> dict[str, int]:
        return driver.output_beats(job, self.config)

    def shown(self, job: AttentionJob, outputs: Mapping[str, Fields]) -> dict[str, Any]:
        return driver.shown(outputs, job, self.config)

    def predict(self, job: AttentionJob) -> CycleReport:
        return predict(job, self.config)
