"""Cycle model of the stochastic engine: when every column is accepted and delivered.

A statement of the engine's timing that shares nothing with its description. Cycle n is what is
sampled at clock edge n, cycle 0 the first in which inputs are offered. A *slot* is one row group of
one time step: d columns in, d columns out.

- An output column is issued, in order and at most one per cycle, from SCORE_LATENCY cycles after its
  slot's last input column was accepted, while fewer than QUEUE columns are issued and not delivered.
- It can be delivered from `output_latency` cycles after it was issued.
- The last input column of a slot is accepted only when every output column still to be issued is
  sure to be issued by the next cycle: at most two are left, and the queue has room for them.
- Encoders hold one column: they accept the next in the cycle in which that column moves on, the cycle
  after it came or later, and what is said above of accepting holds for its move.
"""

from bisect import bisect_left
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from golden.stochastic.attention import StochasticJob
from golden.stochastic.config import StochasticConfig
from sim.timing.cycles import CycleReport

SCORE_LATENCY = 2
QUEUE = 16
# The row adder takes 8 spikes in its first stage and 4 sums in each later one
FIRST_FAN_IN, FAN_IN = 8, 4


@dataclass(frozen=True, kw_only=True)
class Transfers:
    """Cycles of all transfers.

    Attributes:
        accepted: int64 [slots * d], of input columns.
        delivered: int64 [slots * d], of output columns.
    """

    accepted: NDArray[np.int64]
    delivered: NDArray[np.int64]


def output_latency(config: StochasticConfig) -> int:
    """Cycles from the issue of a column to the first in which it can be delivered."""
    stages, reach = 1, FIRST_FAN_IN
    while reach < config.tokens:
        stages, reach = stages + 1, reach * FAN_IN
    return stages + 3


def slots_of(job: StochasticJob) -> int:
    return job.heads * job.steps * job.config.groups


def predict(job: StochasticJob) -> CycleReport:
    """Completion of every row when inputs never pause and outputs are always taken."""
    config = job.config
    columns = np.arange(1, slots_of(job) + 1) * config.head_dim - 1
    ends = columns + config.encoders + config.head_dim - 1 + SCORE_LATENCY + output_latency(config)
    return row_report(ends, job)


def row_report(ends: NDArray[np.int64], job: StochasticJob) -> CycleReport:
    """Report of the cycles in which the slots' last columns are delivered."""
    config = job.config
    last_step = ends.reshape(job.heads, job.steps, config.groups)[:, -1]
    return CycleReport(np.repeat(last_step, config.rows, axis=1)[:, : config.tokens])


def replay(config: StochasticConfig, offered: list[int], ready: list[bool]) -> Transfers:
    """Transfers when both sides pause.

    Args:
        config: the engine.
        offered: cycles that the producer lets pass, after the transfer before, until it offers each
            input column; whole slots.
        ready: whether the consumer takes a column in cycle n; always after the end of the list.
    """
    d, latency = config.head_dim, output_latency(config)
    accepted: list[int] = []
    entered: list[int] = []
    issued: list[int] = []
    delivered: list[int] = []

    def may_close(cycle: int) -> bool:
        gone = bisect_left(issued, cycle)
        owed = len(issued) - gone
        return owed <= 2 and owed <= QUEUE - gone + bisect_left(delivered, cycle)

    for number, gap in enumerate(offered):
        cycle = (accepted[-1] + 1 if accepted else 0) + gap
        if config.encoders:
            accepted.append(max(cycle, entered[-1] if entered else 0))
            cycle = accepted[-1] + 1
        last = number % d == d - 1
        while last and not may_close(cycle):
            cycle += 1
        entered.append(cycle)
        if not config.encoders:
            accepted.append(cycle)
        if not last:
            continue
        for _ in range(d):
            column = len(issued)
            earliest = cycle + SCORE_LATENCY
            if column:
                earliest = max(earliest, issued[-1] + 1)
            if column >= QUEUE:
                earliest = max(earliest, delivered[column - QUEUE] + 1)
            issued.append(earliest)
            taken = max(earliest + latency, delivered[-1] + 1 if column else 0)
            while taken < len(ready) and not ready[taken]:
                taken += 1
            delivered.append(taken)
    return Transfers(accepted=np.array(accepted), delivered=np.array(delivered))
