"""What a core does per second at the clock of a build: the cycle model's word, not a measurement."""

from dataclasses import dataclass

from golden.attention import prepare
from golden.config import CoreConfig
from sim.activity import activity
from sim.cycle_model import predict
from sim.workload import random_heads

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
        accumulations_per_second: traces added to a score or a context, where both spikes are there.
        seed: of the random heads.
    """

    tokens: int
    head_dim: int
    clock_mhz: float
    cycles_per_head: float
    heads_per_second: float
    accumulations_per_second: float
    seed: int


def throughput(config: CoreConfig, clock_mhz: float, seed: int = 0) -> Throughput:
    """Predict a core at a clock, on heads of `sim.workload.random_heads`."""
    heads = random_heads(HEADS, config.tokens, config.head_dim, seed)
    job = prepare(heads["q"], heads["k"], heads["v"], config.code)
    cycles = float(predict(job, config).durations[1:].mean())
    events = activity(job, config).events
    accumulations = (events["synaptic_additions"] + events["context_additions"]) / HEADS
    rate = clock_mhz * 1e6 / cycles
    return Throughput(
        tokens=job.tokens,
        head_dim=job.head_dim,
        clock_mhz=clock_mhz,
        cycles_per_head=round(cycles, 1),
        heads_per_second=round(rate, 1),
        accumulations_per_second=round(rate * accumulations),
        seed=seed,
    )
