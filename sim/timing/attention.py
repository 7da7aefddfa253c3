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

from collections.abc import Callable, Sequence
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
        moved = self.accepted.back(self.queued - 1) + 2 if self.queued > 1 else NEVER
        return self.accepted.add(max(offered, self.accepted.back(1) + 1, room, moved))

    def seen(self, unit: str) -> int:
        """First cycle in which `unit` sees the current head."""
        if self.queued == 1:
            return self.accepted.back(1) + 1
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


# Cycle in which the last spike of the next row is accepted, from the first one with room for it
Accept = Callable[[int], int]


class CoreTiming:
    """The stages of a core.

    Attributes:
        taken, copied, slots_dropped: of groups of keys: when the score is handed over, its last bit is on the
            search, the ramp is through. contexts, contexts_dropped: of rows: when the context is done, and
            the row out. Each in order, behind as many that are long past as anyone looks back.
    """

    def __init__(self, config: CoreConfig) -> None:
        units = ["keys", "values", "score", "ramp", "context", "threshold"]
        self.config = config
        self.heads = Heads((*units, "terms") if config.terms else tuple(units), config.queued_heads)
        self.keys, self.values = Loader("keys", self.heads), Loader("values", self.heads)
        self.lookup = LOOKUP[config.trace_store]
        self.depth = (config.cluster - 1).bit_length() + config.clusters + self.lookup
        self.slots = config.groups + 2
        self.first_column = int(config.output == "codes")
        self.accepted, self.rows_dropped = NEVER, [NEVER] * ROW_BUFFERS
        self.taken, self.copied, self.slots_dropped = [NEVER], [NEVER], [NEVER] * self.slots
        self.terms_ready = 0
        self.ramped, self.phases_dropped = NEVER, [NEVER] * PHASE_BANKS
        self.contexts, self.contexts_dropped = [NEVER], [NEVER] * ROW_BUFFERS
        self.integrated = self.turned = NEVER

    def run_head(
        self, beats: list[int], features: int, window: int, terms: bool, offered: int = 0,
        accept: Accept | None = None,
    ) -> list[int]:  # fmt: skip
        """Cycles in which the last beat of each row of the next head leaves.

        Args:
            beats: spikes of every row, or one if it is silent.
            terms: bias or mask entries come with the rows.
            offered: first cycle in which its descriptor is there.
            accept: of the query rows; None where they are offered without a pause.
        """
        heads, tokens = self.heads, len(beats)
        heads.accept(offered)
        keys, values = self.keys.load(tokens * features), self.values.load(tokens * features)
        keys, values = max(keys, heads.seen("score")), max(values, heads.seen("context"))
        if self.config.terms:
            self.terms_ready = max(self.terms_ready, heads.seen("terms")) + terms
        rows = self._rows(beats, features, window, terms, keys, values, accept)
        self.keys.released.add(self.taken[-1])
        self.values.released.add(self.contexts[-1])
        ends = {"score": self.taken[-1], "ramp": self.ramped, "context": self.contexts[-1]}
        if self.config.terms:
            ends["terms"] = self.terms_ready - terms
        for unit, end in ends.items():
            heads.dropped[unit].add(end)
        return rows

    def _rows(
        self, beats: list[int], features: int, window: int, terms: bool, keys: int, values: int,
        accept: Accept | None,
    ) -> list[int]:  # fmt: skip
        """The rows of a head through all stages; `keys` and `values`: from when on they are there.

        One loop over local names, with comparisons in place of `max`: here is where a prediction's time goes.
        """
        config, sizes = self.config, group_sizes(len(beats), self.config.lanes)
        rows_dropped, phases_dropped = self.rows_dropped, self.phases_dropped
        taken, copied, slots_dropped = self.taken, self.copied, self.slots_dropped
        contexts, contexts_dropped = self.contexts, self.contexts_dropped
        accepted, terms_ready, ramped = self.accepted, self.terms_ready, self.ramped
        integrated, turned = self.integrated, self.turned
        slots, groups, first = self.slots, len(sizes), len(self.taken)
        term_beats = [-(-tokens // config.terms_per_beat) for tokens in sizes]
        guarded = 1 + TERMS_GUARD + self.lookup
        fixed, bits = 1 + terms, 1 + config.score_width
        winner, in_slot = WINNER_LATENCY + self.depth, slots + SLOT_LATENCY + self.lookup
        summed = groups * (features + 1)
        arrival = CONTEXT_LATENCY + self.depth + 2
        normalised = groups + arrival
        columns = features + 1 - self.first_column
        leaves = RAW_LATENCY if config.output == "context" else CODE_LATENCY
        ramp_head, threshold_head = self.heads.seen("ramp"), self.heads.seen("threshold")
        handed, searched = taken[-1], copied[-1]
        rows = []
        for row, spikes in enumerate(beats):
            free = rows_dropped[-ROW_BUFFERS] + 1
            accepted = max(0, accepted + 1, free) + spikes - 1 if accept is None else accept(free)
            # score and winner
            decide = accepted + 1
            if row == 0 and keys > decide:
                decide = keys
            if handed > decide:
                decide = handed
            for group in range(groups):
                if terms:
                    there = terms_ready + term_beats[group]
                    if there > decide:
                        decide = there
                    terms_ready = decide + guarded
                handed = decide + fixed + spikes
                if searched > handed:
                    handed = searched
                taken.append(handed)
                room = slots_dropped[first - 1 + group]
                searched = (room if room > handed else handed) + bits
                copied.append(searched)
                decide = handed
            rows_dropped.append(handed)
            # ramp
            end = searched + winner
            if ramp_head > end:
                end = ramp_head
            if ramped >= end:
                end = ramped + 1
            bank = phases_dropped[-PHASE_BANKS]
            if bank >= end:
                end = bank + 1
            end += 1
            for number in range(first, first + groups):
                there = copied[number] + in_slot
                end = (there if there > end else end) + window
                slots_dropped.append(end)
            first += groups
            ramped = end - 1
            # context
            start = values if row == 0 and values > end else end
            if contexts[-1] > start:
                start = contexts[-1]
            room = contexts_dropped[-ROW_BUFFERS]
            if room >= start:
                start = room + 1
            end = start + summed
            contexts.append(end)
            phases_dropped.append(end)
            # output: levels are taken in the third cycle of a row's turn
            load = start + normalised
            if threshold_head > load:
                load = threshold_head
            if integrated >= load:
                load = integrated + 1
            integrated = load + RATIO_WIDTH + 1
            if turned + 3 > integrated:
                integrated = turned + 3
            turned = integrated + 1
            if end + arrival > turned:
                turned = end + arrival
            if contexts_dropped[-1] > turned:
                turned = contexts_dropped[-1]
            end = turned + columns
            contexts_dropped.append(end)
            rows.append(end + leaves)
        self.heads.dropped["threshold"].add(load + 1)
        self.accepted, self.terms_ready, self.ramped = accepted, terms_ready, ramped
        self.integrated, self.turned = integrated, turned
        return rows


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
    core.config.check_job(job)
    features, window = job.head_dim, job.window
    terms = job.bias is not None or job.allowed is not None
    return CycleReport(
        np.array([core.run_head(beats, features, window, terms) for beats in row_beats(job).tolist()])
    )
