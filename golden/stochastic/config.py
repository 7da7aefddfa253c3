"""Parameters of a stochastic attention engine, and the number limits that follow from them."""

from dataclasses import dataclass, field
from functools import cached_property
from typing import Literal, get_args

import numpy as np
from numpy.typing import NDArray

from golden.code import check_range
from golden.errors import InputError, quoted
from golden.stochastic.plan import Bank, Banks, RandomPlan

MaskKind = Literal["none", "diagonal", "causal"]
MASKS: tuple[str, ...] = get_args(MaskKind)
MAX_SIZE, MAX_STEPS = 256, 1024


@dataclass(frozen=True, kw_only=True)
class StochasticConfig:
    """What is fixed when a stochastic attention engine is generated.

    Attributes:
        tokens: N, tokens of a head and units in a row, 1..256.
        head_dim: d, features of a head, 1..256.
        rows: R, rows of units that work in parallel, 1..N.
        steps: largest number of time steps T of a head, 1..1024; the plan's generators do not meet before.
        rate_bits: fraction bits of a rate at the Bernoulli encoders, 1..16, at most plan.draw_bits.
        mask: scores that never spike: none, diagonal (i = j) or causal (j > i).
        encoders: the engine holds the Bernoulli encoders and takes rates; otherwise it takes trains, which
            golden encodes. The spikes are the same.
        plan: the random numbers.

    Raises:
        InputError: a field is outside its range or does not fit another.
    """

    tokens: int
    head_dim: int
    rows: int
    steps: int = 16
    rate_bits: int = 8
    mask: MaskKind = "none"
    encoders: bool = False
    plan: RandomPlan = field(default_factory=RandomPlan)

    def __post_init__(self) -> None:
        check_range("StochasticConfig.tokens", self.tokens, 1, MAX_SIZE)
        check_range("StochasticConfig.head_dim", self.head_dim, 1, MAX_SIZE)
        check_range("StochasticConfig.rows", self.rows, 1, self.tokens)
        check_range("StochasticConfig.steps", self.steps, 1, MAX_STEPS)
        check_range("StochasticConfig.rate_bits", self.rate_bits, 1, 16)
        if self.mask not in MASKS:
            raise InputError(
                f"StochasticConfig.mask must be one of {', '.join(MASKS)}, not {quoted(self.mask)}"
            )
        if not isinstance(self.encoders, bool):
            raise InputError(f"StochasticConfig.encoders must be true or false, not {quoted(self.encoders)}")
        needed = max(self.score_bits, self.sum_bits, self.rate_bits)
        if self.plan.draw_bits < needed:
            raise InputError(
                f"RandomPlan.draw_bits must be at least {needed} for {self.tokens} tokens, "
                f"{self.head_dim} features and rate_bits = {self.rate_bits}, not {self.plan.draw_bits}"
            )
        distinct = self.distinct_steps
        if distinct < self.steps and not self.plan.allow_repeats:
            raise InputError(
                f"RandomPlan.width must give {self.steps} time steps of distinct draws, "
                f"not {self.plan.width}, which gives {max(distinct, 0)}"
            )

    @property
    def groups(self) -> int:
        """Row groups of a head: row i is served by physical row i % rows in group i // rows."""
        return -(-self.tokens // self.rows)

    @property
    def score_bits(self) -> int:
        """Bits of a draw of the score comparator, 0..d-1."""
        return (self.head_dim - 1).bit_length()

    @property
    def sum_bits(self) -> int:
        """Bits of a draw of the output comparator, 0..N-1."""
        return (self.tokens - 1).bit_length()

    @property
    def distinct_steps(self) -> int:
        """Time steps before any generator comes to where one started: see `Banks.distinct_steps`."""
        columns = self.groups * self.head_dim
        events = {
            "score": self.groups, "output": columns, "q": columns, "k": self.head_dim, "v": self.head_dim,
        }  # fmt: skip
        return self._banks.distinct_steps(events)

    @cached_property
    def _banks(self) -> Banks:
        return Banks(plan=self.plan, rows=self.rows, tokens=self.tokens)

    def bank(self, name: str) -> Bank:
        """The bank score, output, q, k or v."""
        return self._banks.all[name]

    @property
    def allowed(self) -> NDArray[np.bool_]:
        """[tokens, tokens]: scores that may spike."""
        i, j = np.indices((self.tokens, self.tokens))
        return {"none": i >= 0, "diagonal": i != j, "causal": j <= i}[self.mask]
