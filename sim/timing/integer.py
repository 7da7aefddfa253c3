"""Cycle model of the integer attention core: when each row is complete, from sizes and configuration alone.

A statement of the core's timing that shares nothing with its description. Its stages are those of
`sim.timing.vectors`; at the output the normaliser becomes the divisor, and the row is divided.
"""

from collections.abc import Sequence

from golden.integer.config import IntegerConfig
from golden.integer.job import RATIO_WIDTH, IntegerJob
from sim.timing import vectors
from sim.timing.attention import NEVER
from sim.timing.cycles import CycleReport

# Cycles of a product: looked up as a square, in a table of products, by a DSP block
SQUARE, TABLE, DSP = 3, 2, 2
# From a key to the shift of its weight, beside the product
WEIGHT = 7
# From the shift of the last weight of a row to its normaliser at the divisor
NORMALISER = 3
# From the turn of a value to its transfer; a code takes as many more as it has bits
CODE_LATENCY, RAW_LATENCY = 5, 2


def product_cycles(config: IntegerConfig) -> int:
    """Cycles of the lanes' products; partial products are added in pairs."""
    if config.multiplier == "table":
        return SQUARE if config.squares else TABLE
    return DSP if config.multiplier == "dsp" else (config.bits - 1).bit_length()


class IntegerTiming(vectors.VectorTiming):
    """The stages of a core."""

    scaled = "divisor"

    def __init__(self, config: IntegerConfig) -> None:
        weight = WEIGHT + (DSP if config.multiplier == "dsp" else 3)
        super().__init__(config, product_cycles(config), weight)
        self.scoring, self.summing = int(config.squares), 1 + 2 * config.squares
        self.divided = NEVER

    def output(self, entered: int, features: int, last: bool) -> int:
        load = max(entered + NORMALISER, self.heads.seen("divisor"), self.divided + 1)
        if last:
            self.heads.dropped["divisor"].add(load + 1)
        self.divided = max(load + RATIO_WIDTH + 1, self.turned.back(1))
        config = self.config
        turn = max(self.divided, self.turned.back(1)) + (config.output != "codes")
        end = self.turned.add(max(turn + features, self.first_value(entered) + features - 1))
        return end + (RAW_LATENCY if config.output == "context" else CODE_LATENCY + config.bits)


def predict(job: IntegerJob, config: IntegerConfig) -> CycleReport:
    """Cycle in which each row of a job is complete; see `predict_in_turn`."""
    return predict_in_turn([job], config)[0]


def predict_in_turn(jobs: Sequence[IntegerJob], config: IntegerConfig) -> list[CycleReport]:
    """Cycle in which each row of every job is complete; see `sim.timing.vectors.predict`."""
    return vectors.predict(IntegerTiming(config), jobs)
