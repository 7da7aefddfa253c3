"""Hardware accounting of stochastic spiking attention: AND gates, counters, comparators, random numbers.

Source of the engine: Stochastic Spiking Attention (AICAS 2024, arXiv 2402.09109), section III. A unit
per score counts coincidences of query and key spikes over the features and compares the count with a
random number; a unit per output does the same over the keys.
"""

from dataclasses import dataclass
from math import ceil, log2

from golden.code import check_range
from golden.energy.hardware import Scope
from golden.energy.units import add
from golden.errors import InputError


@dataclass(frozen=True, kw_only=True)
class StochasticEvents:
    """Size of a job and how often its spikes come.

    Attributes:
        heads, tokens, head_dim, steps: of the job.
        rate: share of the q, k, v spikes that are there, per step.
        score_rate: likewise for the scores.
        register_bits: width of a random-number generator.
        sharing: units that draw from one generator.

    Raises:
        InputError: a field is outside its range.
    """

    heads: int
    tokens: int
    head_dim: int
    steps: int
    rate: float
    score_rate: float
    register_bits: int = 16
    sharing: int = 1

    def __post_init__(self) -> None:
        for name in ("heads", "tokens", "head_dim", "steps", "register_bits", "sharing"):
            check_range(name, getattr(self, name), 1, 1 << 16)
        for name in ("rate", "score_rate"):
            if not 0 <= getattr(self, name) <= 1:
                raise InputError(f"{name} must be in 0..1, not {getattr(self, name):g}")

    @property
    def draws(self) -> int:
        """Random numbers: one per score and one per output, in every step."""
        return self.heads * self.steps * self.tokens * (self.tokens + self.head_dim)


def stochastic_attention(events: StochasticEvents, register_picojoule: float | None = None) -> list[Scope]:
    """Scopes of the engine for a job.

    Args:
        events: the job.
        register_picojoule: energy of a generator's register bit per advance; unknown when None, the
            source of the other constants has none for a flip-flop.
    """
    pairs = events.heads * events.steps * events.tokens * events.tokens * events.head_dim
    score_bits = max(1, ceil(log2(events.head_dim + 1)))
    output_bits = max(1, ceil(log2(events.tokens + 1)))
    draws_score = events.heads * events.steps * events.tokens**2
    draws_output = events.heads * events.steps * events.tokens * events.head_dim
    advance = None if register_picojoule is None else events.register_bits * register_picojoule
    drawing = f"{events.register_bits} register bits per advance, which serves {events.sharing} draws"
    if advance is None:
        drawing = "unknown: the source of the constants has no flip-flop"
    return [
        Scope(
            name="AND gates",
            events=2 * pairs,
            picojoule=add(1),
            formula="one bit per pair of a query and a key, and of a score and a value, and step",
        ),
        Scope(
            name="score counters",
            events=pairs * events.rate**2,
            picojoule=add(score_bits),
            formula=f"add {score_bits} bits per coincidence",
        ),
        Scope(
            name="output counters",
            events=pairs * events.score_rate * events.rate,
            picojoule=add(output_bits),
            formula=f"add {output_bits} bits per coincidence",
        ),
        Scope(
            name="score comparators",
            events=draws_score,
            picojoule=add(score_bits),
            formula=f"compare {score_bits} bits per score and step",
        ),
        Scope(
            name="output comparators",
            events=draws_output,
            picojoule=add(output_bits),
            formula=f"compare {output_bits} bits per output and step",
        ),
        Scope(
            name="random numbers",
            events=events.draws / events.sharing,
            picojoule=advance,
            formula=drawing,
        ),
        Scope(name="clock and idle", events=0, picojoule=None, formula="unknown"),
    ]
