"""Cycle model of the key-serial attention core: when rows are complete, from sizes and configuration alone.

A statement of the core's timing that shares nothing with its description. Its stages are those of
`sim.timing.vectors`; at the output the threshold integrates the normaliser, and the row is coded.
"""

from collections.abc import Sequence

from golden.attention.job import AttentionJob
from golden.attention.key_serial import KeySerialConfig
from golden.attention.normaliser import RATIO_WIDTH
from sim.timing import vectors
from sim.timing.attention import LOOKUP, NEVER
from sim.timing.cycles import CycleReport

# From a key to the shift of its spike, beside a cycle per bit of a phase
SPIKE = 4
# From the shift of the last spike of a row to its normaliser at threshold and output
NORMALISER = 4
# From the turn of a value to its transfer
CODE_LATENCY, RAW_LATENCY = 5, 2


class KeySerialTiming(vectors.VectorTiming):
    """The stages of a core."""

    scaled = "threshold"

    def __init__(self, config: KeySerialConfig) -> None:
        super().__init__(config, LOOKUP["memory"], SPIKE + (config.code.steps - 1).bit_length())
        self.integrated, self.taken = NEVER, NEVER

    def output(self, entered: int, features: int, last: bool) -> int:
        output = self.config.output
        turn = max(self.first_value(entered), self.turned.back(1) + 1)
        if output != "codes":
            # the normaliser goes out in front of the first value
            turn = max(turn, max(entered + NORMALISER, self.turned.back(1) + 1) + 1)
        if output == "context":
            self.heads.dropped["threshold"].add(NEVER)
        else:
            load = max(entered + NORMALISER, self.heads.seen("threshold"), self.integrated + 1)
            if last:
                self.heads.dropped["threshold"].add(load + 1)
            self.integrated = max(load + RATIO_WIDTH + 1, self.taken)
            self.taken = turn = max(turn, self.integrated + 1)
        end = self.turned.add(turn + features - 1)
        return end + (RAW_LATENCY if output == "context" else CODE_LATENCY)


def predict(job: AttentionJob, config: KeySerialConfig) -> CycleReport:
    """Cycle in which each row of a job is complete; see `predict_in_turn`."""
    return predict_in_turn([job], config)[0]


def predict_in_turn(jobs: Sequence[AttentionJob], config: KeySerialConfig) -> list[CycleReport]:
    """Cycle in which each row of every job is complete; see `sim.timing.vectors.predict`."""
    return vectors.predict(KeySerialTiming(config), jobs)
