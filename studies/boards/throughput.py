"""What a core does per second at the clock of a build: the cycle model's word, not a measurement."""

from dataclasses import dataclass

from golden.attention.config import CoreConfig
from golden.attention.job import prepare
from golden.stochastic.attention import compute
from golden.stochastic.attention import prepare as prepare_stochastic
from golden.stochastic.config import StochasticConfig
from sim.timing.attention import predict
from sim.timing.attention_activity import activity
from sim.timing.stochastic import predict as predict_stochastic
from sim.timing.stochastic_activity import activity as stochastic_activity
from studies.data.random import random_heads, random_rates

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


def throughput(config: CoreConfig | StochasticConfig, clock_mhz: float, seed: int = 0) -> Throughput:
    """Predict a core at a clock, on heads of `studies.data.random.random_heads`; or a stochastic engine, on
    heads of random rates and as many steps as it was made for."""
    if isinstance(config, StochasticConfig):
        cycles, accumulations = _stochastic(config, seed)
    else:
        cycles, accumulations = _spiked(config, seed)
    rate = clock_mhz * 1e6 / cycles
    return Throughput(
        tokens=config.tokens,
        head_dim=config.head_dim,
        clock_mhz=clock_mhz,
        cycles_per_head=round(cycles, 1),
        heads_per_second=round(rate, 1),
        accumulations_per_second=round(rate * accumulations),
        seed=seed,
    )


def _spiked(config: CoreConfig, seed: int) -> tuple[float, float]:
    """(cycles, accumulations) of a head."""
    heads = random_heads(HEADS, config.tokens, config.head_dim, seed)
    job = prepare(heads["q"], heads["k"], heads["v"], config.code)
    events = activity(job, config).events
    accumulations = (events["synaptic_additions"] + events["context_additions"]) / HEADS
    return float(predict(job, config).durations[1:].mean()), accumulations


def _stochastic(config: StochasticConfig, seed: int) -> tuple[float, float]:
    """(cycles, coincidences counted) of a head."""
    rates = random_rates(HEADS, config.tokens, config.head_dim, seed)
    job = prepare_stochastic(rates["q"], rates["k"], rates["v"], config, steps=config.steps)
    events = stochastic_activity(job, compute(job)).events
    counted = (events["score_coincidences"] + events["output_coincidences"]) / HEADS
    return float(predict_stochastic(job).durations[1:].mean()), counted
