"""Cycle model of the integer attention core: when each row is complete, from sizes and configuration alone.

A statement of the core's timing that shares nothing with its description. Conventions are those of
`sim.timing.attention`.

Order within a row, in the words of the hardware:
    query   the codes of the row enter the chain of the score lanes
    score   a product per key
    softmax a weight per key, group by group, into the chain of the value lanes
    context a product per feature, for each group
    output  the normaliser becomes the divisor; the row is streamed out and divided
"""

from collections.abc import Sequence

import numpy as np

from golden.integer.config import IntegerConfig
from golden.integer.job import RATIO_WIDTH, IntegerJob
from sim.timing.attention import NEVER, Heads, History, Loader, group_sizes
from sim.timing.cycles import CycleReport

SCORE_ROWS = 3
TERM_ROWS = 4
CONTEXT_ROWS = 4
SHORTEST_PASS = 4
# Cycles of a product: looked up as a square, in a table of products, by a DSP block
SQUARE, TABLE, DSP = 3, 2, 1
# A bank is full so much later than one of spikes: sums of squares are written last
SQUARED = 3
# From a product being decided to its sum behind one cluster, beside product and tree
DOT = 4
# From a sum to the cycle in which its row of scores is seen
SCORES = 3
# From a key to the shift of its weight, beside the product
WEIGHT = 6
# From the shift of the last weight of a row to its normaliser at the divisor
NORMALISER = 3
# From a sum of context to its turn at the output
CONTEXT = 3
# From the turn of a value to its transfer; a code takes as many more as it has bits
CODE_LATENCY, RAW_LATENCY = 5, 2


def product_cycles(config: IntegerConfig) -> int:
    """Cycles of the lanes' products; partial products are added in pairs."""
    if config.multiplier == "table":
        return SQUARE if config.squares else TABLE
    return DSP if config.multiplier == "dsp" else (config.bits - 1).bit_length()


class IntegerTiming:
    """The stages of a core; each method advances one of them by a row."""

    def __init__(self, config: IntegerConfig) -> None:
        self.config = config
        self.heads = Heads(("keys", "values", "score", "weights", "context", "divisor"), config.queued_heads)
        self.keys, self.values = Loader("keys", self.heads), Loader("values", self.heads)
        tree = (config.cluster - 1).bit_length()
        dot = DOT + product_cycles(config) + tree
        self.score_sum = dot + -(-config.head_dim // config.cluster) - 1
        self.context_sum = dot + config.lanes // config.cluster - 1
        self.weight = WEIGHT + (DSP if config.multiplier == "dsp" else 3)
        self.scored, self.released_scores = History(), History()
        self.score_end = NEVER
        self.term_end, self.released_terms = NEVER, History()
        self.pass_end, self.pass_free = NEVER, NEVER
        self.divided = NEVER
        self.turned = History()

    def score(self, ready: int, tokens: int, features: int, terms: bool) -> int:
        """Cycle of the last sum of a row.

        Args:
            ready: cycle from which head and keys are there.
            tokens, features: of the head.
            terms: bias or mask entries come with the row.
        """
        query = max(0, self.scored.back(1) + 2) + features
        start = max(ready, query, self.score_end + 1, self.released_scores.back(SCORE_ROWS) + 1)
        if terms:
            begin = max(0, self.term_end + 1, self.released_terms.back(TERM_ROWS) + 1)
            self.term_end = begin + tokens - 1
            start = max(start, self.term_end + 1)
        self.scored.add(start)
        self.score_end = start + tokens
        last = self.score_end + self.score_sum
        if terms:
            self.released_terms.add(last)
        return last

    def softmax(self, ready: int, groups: list[int], features: int) -> int:
        """Cycle in which the last key of a row is decided.

        Args:
            ready: cycle from which scores, head and values are there.
            groups: number of tokens in each group.
            features: of the head.
        """
        start = max(ready, self.turned.back(CONTEXT_ROWS) + 1)
        for keys in groups:
            start = max(start, self.pass_end + 1, self.pass_free - keys)
            self.pass_end = start + keys
            self.pass_free = self.pass_end + max(features, SHORTEST_PASS)
        self.released_scores.add(self.pass_end)
        return self.pass_end

    def output(self, entered: int, features: int, last: bool) -> int:
        """Cycle in which the last beat of a row leaves.

        Args:
            entered: cycle in which its last weight is shifted in.
            features: of the head.
            last: of its head.
        """
        load = max(entered + NORMALISER, self.heads.seen("divisor"), self.divided + 1)
        if last:
            self.heads.dropped["divisor"].add(load + 1)
        self.divided = max(load + RATIO_WIDTH + 1, self.turned.back(1))
        config = self.config
        turn = max(self.divided, self.turned.back(1)) + (config.output != "codes")
        sums = 1 + 2 * config.squares + (config.groups > 1)
        values = entered + features - 1 + self.context_sum + sums + CONTEXT - 1
        end = self.turned.add(max(turn + features, values))
        return end + (RAW_LATENCY if config.output == "context" else CODE_LATENCY + config.bits)


def predict(job: IntegerJob, config: IntegerConfig) -> CycleReport:
    """Cycle in which each row of a job is complete; see `predict_in_turn`."""
    return predict_in_turn([job], config)[0]


def predict_in_turn(jobs: Sequence[IntegerJob], config: IntegerConfig) -> list[CycleReport]:
    """Cycle in which each row of every job is complete.

    Args:
        jobs: their heads follow each other without a pause.
        config: the core; see `IntegerConfig.check_job`.

    Raises:
        InputError: the core cannot hold a job.
    """
    core = IntegerTiming(config)
    return [_advance(core, job) for job in jobs]


def _advance(core: IntegerTiming, job: IntegerJob) -> CycleReport:
    """All heads of a job, after what the core has done so far."""
    config = core.config
    config.check_job(job)
    tokens, features = job.tokens, job.head_dim
    groups = group_sizes(tokens, config.lanes)
    rows = np.empty((job.heads, tokens), np.int64)
    for head in range(job.heads):
        core.heads.accept()
        codes = tokens * features
        keys = core.keys.load(codes) + SQUARED
        values = core.values.load(codes) + SQUARED
        keys = max(keys, core.heads.seen("score"))
        values = max(values, core.heads.seen("weights"))
        for row in range(tokens):
            first, last = row == 0, row == tokens - 1
            summed = core.score(keys if first else 0, tokens, features, job.terms)
            scores = summed + SCORES + config.squares + config.bias
            decided = core.softmax(max(scores, values) if first else scores, groups, features)
            entered = decided + core.weight
            rows[head, row] = core.output(entered, features, last)
        core.keys.released.add(summed)
        core.values.released.add(entered + features - 1 + core.context_sum)
        core.heads.dropped["score"].add(core.score_end)
        core.heads.dropped["weights"].add(decided)
        core.heads.dropped["context"].add(entered - 1)
    return CycleReport(rows)
