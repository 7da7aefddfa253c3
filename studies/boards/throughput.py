"""What a core does per second at the clock of a build: the cycle model's word, not a measurement."""

from dataclasses import dataclass
from typing import Any

from sim.cores.heads import HeadCore
from studies.data.random import random_heads, random_rates

# Heads as each scheme takes them
RANDOM = {"spiked": random_heads, "stochastic": random_rates}
# From the second on, the durations of heads that follow each other differ by their spikes only
HEADS = 4


@dataclass(frozen=True, kw_only=True)
class Throughput:
    """Heads of the largest size that the core holds, one after the other, never waiting for the host.

    Attributes:
        tokens, head_dim: of the heads.
        clock_mhz: as given.
        cycles_per_head: mean of all but the first.
        heads_per_second: at the clock.
        accumulations_per_second: traces added to a score or a context (stochastic: counts), where both
            spikes are there.
        seed: of the random heads.
    """

    tokens: int
    head_dim: int
    clock_mhz: float
    cycles_per_head: float
    heads_per_second: float
    accumulations_per_second: float
    seed: int


def throughput(core: HeadCore[Any, Any, Any], clock_mhz: float, seed: int = 0) -> Throughput:
    """Predict a core at a clock, on heads of `RANDOM`, if stochastic of as many steps as it was made for."""
    config = core.config
    job = core.prepare(**RANDOM[core.scheme](HEADS, config.tokens, config.head_dim, seed))
    events = core.activity(job, core.compute(job)).events
    cycles = float(core.predict(job).durations[1:].mean())
    rate = clock_mhz * 1e6 / cycles
    return Throughput(
        tokens=config.tokens,
        head_dim=config.head_dim,
        clock_mhz=clock_mhz,
        cycles_per_head=round(cycles, 1),
        heads_per_second=round(rate, 1),
        accumulations_per_second=round(rate * sum(events[name] for name in core.accumulations) / HEADS),
        seed=seed,
    )
