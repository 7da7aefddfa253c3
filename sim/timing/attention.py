"""Cycle model: when the attention core completes each row, from spike data and configuration alone.

A statement of the core's timing that shares nothing with its description: rows pass through five
overlapped stages, and every stage begins as soon as what it needs is there. All times are cycles;
cycle n is what is sampled at clock edge n, cycle 0 the first in which the inputs are offered.
Inputs are offered without a pause, outputs are taken at once.

Order within a row, in the words of the hardware:
    query   the spikes of the row are accepted into one of four row buffers
    score   per group of keys: terms, spikes, hand-over (`take`)
    winner  per group: score_width + 1 bits, once a slot is free that takes the score afterwards
    ramp    per group: one step per phase of the window; needs the winner of all groups, and the
            scores of the group in the slot at the end of their way
    context a column of ones, then every feature, each over all groups
    output  the threshold integrates the normaliser; the row is streamed out and coded
"""

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from golden.attention.config import CoreConfig
from golden.attention.job import AttentionJob
from golden.attention.normaliser import RATIO_WIDTH
from sim.timing.cycles import CycleReport

ROW_BUFFERS = 4
MEMORY_BANKS = 2
PHASE_BANKS = 2
# Cycles in which a point of the trace is found
LOOKUP = {"memory": 4, "logic": 2}
# From the last term of a pass being read until the chain may shift again, beside the lookup
TERMS_GUARD = 3
# From the last bit put on the search to the winner at the ramp, beside lookup and way through the clusters
WINNER_LATENCY = 8
# From the last bit put on the search to the first step that finds the scores in slot 0, beside lookup
# and a cycle per slot on the way there
SLOT_LATENCY = 2
# From a column being read to its sum at the context buffer, beside lookup and way through the clusters
CONTEXT_LATENCY = 3
# From the turn of a value to its transfer
CODE_LATENCY = 6
RAW_LATENCY = 3

NEVER = -(1 << 60)


@dataclass
class History:
    """Times of one kind of event, in order; an event that did not have to happen is long past."""

    times: list[int] = field(default_factory=list)

    def add(self, time: int) -> int:
        self.times.append(time)
        return time

    def back(self, count: int) -> int:
        """Time of the event `count` events before the next one."""
        return self.times[-count] if count <= len(self.times) else NEVER


class Heads:
    """Acceptance of head descriptors: every unit queues a few of them."""

    def __init__(self, units: tuple[str, ...], queued: int) -> None:
        self.queued = queued
        self.accepted = History()
        self.dropped = {unit: History() for unit in units}

    def accept(self, offered: int = 0) -> int:
        """Cycle in which the next descriptor, there from cycle `offered` on, is accepted."""
        # one descriptor is in use, the others wait; each moves on in the cycle after it came
        room = max(dropped.back(self.queued) for dropped in self.dropped.values()) + 2
        moved = self.accepted.back(self.queued - 1) + 2
        return self.accepted.add(max(offered, self.accepted.back(1) + 1, room, moved))

    def seen(self, unit: str) -> int:
        """First cycle in which `unit` sees the current head."""
        return max(self.accepted.back(1), self.dropped[unit].back(1)) + 2


class Loader:
    """Loads the spikes of a head into one of two banks, one per cycle."""

    def __init__(self, unit: str, heads: Heads) -> None:
        self.unit, self.heads = unit, heads
        self.released = History()

    def load(self, spikes: int) -> int:
        """First cycle in which the memory shows the head."""
        start = max(self.heads.seen(self.unit), self.released.back(MEMORY_BANKS) + 1)
        return self.heads.dropped[self.unit].add(start + spikes) + 2


class CoreTiming:
    """The stages of a core; each method advances one of them by a row."""

    def __init__(self, config: CoreConfig) -> None:
        units = ["keys", "values", "score", "ramp", "context", "threshold"]
        self.config = config
        self.heads = Heads((*units, "terms") if config.terms else tuple(units), config.queued_heads)
        self.keys, self.values = Loader("keys", self.heads), Loader("values", self.heads)
        self.lookup = LOOKUP[config.trace_store]
        self.depth = (config.cluster - 1).bit_length() + config.clusters + self.lookup
        self.slots = config.groups + 2
        self.first_column = int(config.output == "codes")
        self.rows_accepted, self.rows_dropped = History(), History()
        self.taken, self.copied, self.slots_dropped = History(), History(), History()
        self.terms_ready = 0
        self.ramps, self.phases_dropped = History(), History()
        self.contexts = History()
        self.integrated, self.handed_over = NEVER, NEVER
        self.turns, self.contexts_dropped = History(), History()

    def accept_row(self, beats: int) -> int:
        """First cycle in which the score stage sees the next query row."""
        begin = max(0, self.rows_accepted.back(1) + 1, self.rows_dropped.back(ROW_BUFFERS) + 1)
        return self.rows_accepted.add(begin + beats - 1) + 1

    def score(self, ready: int, beats: int, groups: list[int], terms: bool) -> int:
        """All groups of a row.

        Args:
            ready: cycle from which the row, and for the first row its head and keys, are there.
            beats: spikes of the row.
            groups: number of tokens in each group.
            terms: bias or mask entries come with the row.

        Returns:
            Cycle in which the last bit of the last group is put on the search.
        """
        width = self.config.score_width
        for number, tokens in enumerate(groups):
            decide = max(self.taken.back(1), ready) if number == 0 else self.taken.back(1)
            if terms:
                decide = max(decide, self.terms_ready + -(-tokens // self.config.terms_per_beat))
                self.terms_ready = decide + 1 + TERMS_GUARD + self.lookup
            done = decide + 1 + terms + beats
            take = self.taken.add(max(done, self.copied.back(1)))
            room = self.slots_dropped.back(
                self.slots - len(self.copied.times) + len(self.slots_dropped.times)
            )
            self.copied.add(max(take, room) + 1 + width)
        self.rows_dropped.add(self.taken.back(1))
        return self.copied.back(1)

    def ramp(self, searched: int, groups: int, window: int) -> int:
        """First cycle in which the attention spikes of the row are there."""
        winner = searched + WINNER_LATENCY + self.depth
        start = max(
            winner, self.heads.seen("ramp"), self.ramps.back(1) + 1, self.phases_dropped.back(PHASE_BANKS) + 1
        )
        end = start + 1
        for _ in range(groups):
            entered = self.copied.times[len(self.slots_dropped.times)]
            end = max(end, entered + self.slots + SLOT_LATENCY + self.lookup) + window
            self.slots_dropped.add(end)
        return self.ramps.add(end - 1) + 1

    def context(self, ready: int, groups: int, features: int) -> tuple[int, int]:
        """First cycles in which the normaliser and the whole row are in the context buffer."""
        start = max(ready, self.contexts.back(1), self.contexts_dropped.back(ROW_BUFFERS) + 1)
        end = self.contexts.add(start + groups * (features + 1))
        self.phases_dropped.add(end)
        arrival = CONTEXT_LATENCY + self.depth + 2
        return start + groups + arrival, end + arrival

    def output(self, normaliser: int, row: int, features: int, last: bool) -> int:
        """Cycle in which the last beat of the row leaves."""
        load = max(normaliser, self.heads.seen("threshold"), self.integrated + 1)
        if last:
            self.heads.dropped["threshold"].add(load + 1)
        # levels are taken in the third cycle of a row's turn
        taken = self.turns.back(1) + 3
        self.integrated = max(load + RATIO_WIDTH + 1, taken)
        columns = features + 1 - self.first_column
        turn = max(self.integrated + 1, taken + 1, row, self.contexts_dropped.back(1))
        self.turns.add(turn)
        end = self.contexts_dropped.add(turn + columns)
        return end + (RAW_LATENCY if self.config.output == "context" else CODE_LATENCY)


def row_beats(job: AttentionJob) -> NDArray[np.int64]:
    """Beats of every query row, int64 [heads, tokens]: its spikes, or one if it is silent."""
    return np.maximum(np.count_nonzero(job.q.sign, axis=-1), 1)


def group_sizes(tokens: int, lanes: int) -> list[int]:
    """Tokens in each group of keys."""
    return [min(lanes, tokens - low) for low in range(0, tokens, lanes)]


def predict(job: AttentionJob, config: CoreConfig) -> CycleReport:
    """Cycle in which each row of a job is complete; see `predict_in_turn`."""
    return predict_in_turn([job], config)[0]


def predict_in_turn(jobs: Sequence[AttentionJob], config: CoreConfig) -> list[CycleReport]:
    """Cycle in which each row of every job is complete.

    Args:
        jobs: their heads follow each other without a pause.
        config: the core; see `CoreConfig.check_job`.

    Raises:
        InputError: the core cannot hold a job.
    """
    core = CoreTiming(config)
    return [advance(core, job) for job in jobs]


def advance(core: CoreTiming, job: AttentionJob) -> CycleReport:
    """All heads of a job, after what the core has done so far."""
    config = core.config
    config.check_job(job)
    beats = row_beats(job)
    groups = group_sizes(job.tokens, config.lanes)
    terms = job.bias is not None or job.allowed is not None
    rows = np.empty(beats.shape, np.int64)
    for head in range(job.heads):
        core.heads.accept()
        keys = core.keys.load(job.tokens * job.head_dim)
        values = core.values.load(job.tokens * job.head_dim)
        keys = max(keys, core.heads.seen("score"))
        values = max(values, core.heads.seen("context"))
        if config.terms:
            core.terms_ready = max(core.terms_ready, core.heads.seen("terms")) + terms
        for row in range(job.tokens):
            first, last = row == 0, row == job.tokens - 1
            ready = core.accept_row(int(beats[head, row]))
            ready = max(ready, keys) if first else ready
            searched = core.score(ready, int(beats[head, row]), groups, terms)
            phases = core.ramp(searched, len(groups), job.window)
            ready = max(phases, values) if first else phases
            normaliser, complete = core.context(ready, len(groups), job.head_dim)
            rows[head, row] = core.output(normaliser, complete, job.head_dim, last)
        core.keys.released.add(core.taken.back(1))
        core.values.released.add(core.contexts.back(1))
        for unit, history in (("score", core.taken), ("ramp", core.ramps), ("context", core.contexts)):
            core.heads.dropped[unit].add(history.back(1))
        if config.terms:
            core.heads.dropped["terms"].add(core.terms_ready - 1 if terms else core.terms_ready)
    return CycleReport(rows)
