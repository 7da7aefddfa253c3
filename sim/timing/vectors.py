"""Stages of cores whose scores come one after the other: what the integer and the key-serial core share.

Conventions are those of `sim.timing.attention`. Order within a row, in the words of the hardware:
    query   the row enters the chain of the score lanes
    score   a product per key
    weigh   a weight per key, group by group, into the chain of the value lanes
    context a product per feature, for each group
    output  the row is streamed out
"""

from abc import ABC, abstractmethod
from collections.abc import Iterable
from typing import Any, ClassVar

import numpy as np

from sim.timing.attention import NEVER, Heads, History, Loader, group_sizes
from sim.timing.cycles import CycleReport

SCORE_ROWS = 3
TERM_ROWS = 4
CONTEXT_ROWS = 4
SHORTEST_PASS = 4
# A bank is full so much later than one of the lane-parallel core: sums of squares would be written last
FULL = 3
# From a product being decided to its sum behind one cluster, beside product and tree
DOT = 4
# From a sum to the cycle in which its row of scores is seen
SCORES = 3
# From a sum of context to its turn at the output
CONTEXT = 4


class VectorTiming(ABC):
    """The stages of a core; each method advances one of them by a row.

    Attributes:
        scaled: the unit beside these stages that reads heads, if there is one.
        scoring: cycles by which a score is later than its sum, beside `SCORES` and the bias.
        summing: likewise for a value of the context.
    """

    scaled: ClassVar[str]
    scoring: int = 0
    summing: int = 1

    def __init__(self, config: Any, product: int, weight: int) -> None:
        """Args:
        product: cycles of the lanes' products.
        weight: cycles from a key to the shift of its weight.
        """
        self.config = config
        units = ("keys", "values", "score", "weights", "context", self.scaled)
        self.heads = Heads(units, config.queued_heads)
        self.keys, self.values = Loader("keys", self.heads), Loader("values", self.heads)
        dot = DOT + product + (config.cluster - 1).bit_length()
        self.score_sum = dot + -(-config.head_dim // config.cluster) - 1
        self.context_sum = dot + config.lanes // config.cluster - 1
        self.weight = weight
        self.scored, self.released_scores = History(), History()
        self.score_end = NEVER
        self.term_end, self.released_terms = NEVER, History()
        self.pass_end, self.pass_free = NEVER, NEVER
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

    def weigh(self, ready: int, groups: list[int], features: int) -> int:
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

    def first_value(self, entered: int) -> int:
        """Cycle from which the first context value of a row can have its turn.

        Args:
            entered: cycle in which the last weight of the row is shifted in.
        """
        return entered + self.context_sum + self.summing + 2 * (self.config.groups > 1) + CONTEXT - 1

    @abstractmethod
    def output(self, entered: int, features: int, last: bool) -> int:
        """Cycle in which the last beat of a row leaves.

        Args:
            entered: cycle in which its last weight is shifted in.
            features: of the head.
            last: of its head.
        """


def predict(core: VectorTiming, jobs: Iterable[Any]) -> list[CycleReport]:
    """Cycle in which each row of every job is complete.

    Args:
        jobs: their heads follow each other without a pause.

    Raises:
        InputError: the core cannot hold a job.
    """
    return [_advance(core, job) for job in jobs]


def _advance(core: VectorTiming, job: Any) -> CycleReport:
    """All heads of a job, after what the core has done so far."""
    config = core.config
    config.check_job(job)
    tokens, features = job.tokens, job.head_dim
    terms = job.bias is not None or job.allowed is not None
    groups = group_sizes(tokens, config.lanes)
    rows = np.empty((job.heads, tokens), np.int64)
    for head in range(job.heads):
        core.heads.accept()
        codes = tokens * features
        keys = core.keys.load(codes) + FULL
        values = core.values.load(codes) + FULL
        keys = max(keys, core.heads.seen("score"))
        values = max(values, core.heads.seen("weights"))
        for row in range(tokens):
            first, last = row == 0, row == tokens - 1
            summed = core.score(keys if first else 0, tokens, features, terms)
            scores = summed + SCORES + core.scoring + config.bias
            decided = core.weigh(max(scores, values) if first else scores, groups, features)
            entered = decided + core.weight
            rows[head, row] = core.output(entered, features, last)
        core.keys.released.add(summed)
        core.values.released.add(entered + features - 1 + core.context_sum)
        core.heads.dropped["score"].add(core.score_end)
        core.heads.dropped["weights"].add(decided)
        core.heads.dropped["context"].add(entered - 1)
    return CycleReport(rows)
