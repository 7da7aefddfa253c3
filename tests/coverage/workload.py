"""What the heads of attention cores had in them that could go wrong: codes that meet, thresholds, lengths."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any
from unittest.mock import patch

import numpy as np
from numpy.typing import NDArray

from golden.attention.config import CoreConfig
from golden.attention.job import AttentionJob, compute
from golden.code import Spikes
from sim.cores import rtl
from sim.cores.attention.core import SpikedAttentionCore


@dataclass(frozen=True)
class Goal:
    """`reached` of the `cases` that there are, and those that are missing."""

    name: str
    cases: int
    missing: tuple[str, ...]

    @property
    def reached(self) -> int:
        return self.cases - len(self.missing)


@dataclass
class Heads:
    """Counts what the heads had that one core was given."""

    config: CoreConfig
    scores: NDArray[np.int64] = field(init=False)
    values: NDArray[np.int64] = field(init=False)
    fired: NDArray[np.int64] = field(init=False)
    first: NDArray[np.int64] = field(init=False)
    sizes: set[tuple[int, int]] = field(init=False, default_factory=set)

    def __post_init__(self) -> None:
        steps, lanes = self.config.code.steps, self.config.lanes
        codes = 2 * steps + 1
        self.scores = np.zeros((lanes, codes, codes), np.int64)
        self.values = np.zeros((lanes, steps, codes), np.int64)
        self.fired = np.zeros(steps + 1, np.int64)
        self.first = np.zeros(steps, np.int64)

    def _codes(self, spikes: Spikes) -> NDArray[np.int64]:
        """0..T-1: positive, by phase; T..2T-1: negative; 2T: silent."""
        steps = self.config.code.steps
        phase = spikes.phase.astype(np.int64)
        return np.select([spikes.sign > 0, spikes.sign < 0], [phase, phase + steps], 2 * steps)

    def add(self, job: AttentionJob) -> None:
        """Count the heads of a job."""
        golden, lanes = compute(job), self.config.lanes
        q, k, v = (self._codes(getattr(job, name)) for name in "qkv")
        self.sizes.add((-(-job.tokens // lanes), job.tokens % lanes))
        for key in range(job.tokens):
            lane = key % lanes
            np.add.at(self.scores[lane], (q, np.broadcast_to(k[:, key : key + 1], q.shape)), 1)
            times = golden.attn_phase[:, :, key, None]
            seen = (times >= 0) & np.ones_like(q, bool)
            pairs = np.broadcast_arrays(times, v[:, key : key + 1])
            np.add.at(self.values[lane], tuple(part[seen] for part in pairs), 1)
        np.add.at(self.fired, np.where(golden.out.sign != 0, golden.out.phase, self.config.code.steps), 1)
        later = np.where(golden.attn_phase > 0, golden.attn_phase, self.config.code.steps).min(axis=-1)
        np.add.at(self.first, later[later < self.config.code.steps], 1)

    def goals(self) -> Iterator[Goal]:
        steps, config = self.config.code.steps, self.config
        names = [f"+{p}" for p in range(steps)] + [f"-{p}" for p in range(steps)] + ["silent"]
        for name, table, left in (
            ("q meets k at a lane", self.scores, names),
            ("step of the ramp meets v at a lane", self.values, [str(step) for step in range(steps)]),
        ):
            holes = [f"lane {n}: {left[a]}, {names[b]}" for n, a, b in np.argwhere(table == 0)]
            yield Goal(name, table.size, tuple(holes))
        fired = [*map(str, range(steps)), "silent"]
        yield _goal("phase of an output", fired, self.fired)
        yield _goal("first step of the ramp after the winner's", fired[1:-1], self.first[1:])
        groups = -(-config.tokens // config.lanes)
        sizes = [
            (n, left)
            for n in range(1, groups + 1)
            for left in range(config.lanes)
            if (n - 1) * config.lanes + (left or config.lanes) <= config.tokens
        ]
        counts = [int(size in self.sizes) for size in sizes]
        yield _goal("groups, tokens of the last one", [f"{n}, {r or config.lanes}" for n, r in sizes], counts)


def _goal(name: str, cases: Sequence[str], counts: Any) -> Goal:
    return Goal(name, len(cases), tuple(case for case, n in zip(cases, counts, strict=True) if not n))


@contextmanager
def noted() -> Iterator[dict[CoreConfig, Heads]]:
    """While this lasts, heads that tests send through attention cores are counted, by core."""
    found: dict[CoreConfig, Heads] = {}
    run_in_turn = rtl.run_in_turn

    def noting(core: Any, jobs: Sequence[Any], **how: Any) -> Any:
        if isinstance(core, SpikedAttentionCore):
            for job in jobs:
                found.setdefault(core.config, Heads(core.config)).add(job)
        return run_in_turn(core, jobs, **how)

    with patch.object(rtl, "run_in_turn", noting):
        yield found
