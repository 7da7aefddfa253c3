"""Attention of a layer as numbers, as accumulated spikes, and as stochastic spikes: arithmetic and memory.

The accounting of Stochastic Spiking Attention (AICAS 2024, arXiv 2402.09109), section IV: operations
of a 45 nm process, counted and multiplied by a constant each, arithmetic and memory apart. The
paper's own table of operations is not reproduced; every count and constant is a line here.

    float       Q K^T and S V: N*N*d multiplications and additions each. Softmax is left out, which
                favours the float network
    spiking     Q K^T adds one where q and k spike; S V adds a score where v spikes
    stochastic  AND of q and k, and of S and v, a count where it is 1; a comparison and its random
                bits per score and per output

Memory: inputs are read and outputs written once; scores are written and read once where they leave
the arithmetic (float, spiking) and stay in flip-flops in the stochastic engine.
"""

from dataclasses import dataclass

from golden.code import check_range
from golden.energy.constants import (
    INT8_ADD,
    INT8_MULTIPLY,
    MEMORY_READ,
    MEMORY_READ_BITS,
    PAPER_ADD,
    PAPER_MULTIPLY,
)
from golden.energy.hardware import Scope
from golden.energy.units import add
from golden.errors import InputError

# Stochastic Spiking Attention, abstract: the float network's energy over that of SSA
PAPER_RATIOS = {"compute": 6.3, "memory": 1.7}
NUMBERS = {8: (INT8_MULTIPLY, INT8_ADD), 32: (PAPER_MULTIPLY, PAPER_ADD)}
SCORE_BITS = 8
MEMORY_BYTES = 8 * 1024
MEMORY_BIT = MEMORY_READ[MEMORY_BYTES].picojoule / MEMORY_READ_BITS
# Bits of a counter that change per increment, on average: 1 + 1/2 + 1/4 + ...
INCREMENT_BITS = 2


@dataclass(frozen=True, kw_only=True)
class Layer:
    """An attention layer and how often its spikes come.

    Attributes:
        heads, tokens, head_dim: of the layer.
        steps: T of the spiking schemes.
        rate: share of the q, k, v spikes that are there, per step.
        score_rate: likewise for the stochastic scores; rate**2 when None.
        sharing: comparators that use a draw of random bits.

    Raises:
        InputError: a field is outside its range.
    """

    heads: int
    tokens: int
    head_dim: int
    steps: int
    rate: float
    score_rate: float | None = None
    sharing: int = 1

    def __post_init__(self) -> None:
        for name in ("heads", "tokens", "head_dim", "steps", "sharing"):
            check_range(name, getattr(self, name), 1, 1 << 16)
        for name in ("rate", "score_rate"):
            value = getattr(self, name)
            if value is not None and not 0 <= value <= 1:
                raise InputError(f"{name} must be in 0..1, not {value:g}")

    @property
    def pairs(self) -> int:
        """Products of a feature of one token with one of another."""
        return self.heads * self.tokens**2 * self.head_dim

    @property
    def scores(self) -> int:
        return self.heads * self.tokens**2

    @property
    def values(self) -> int:
        """Features of one of Q, K, V or of the output."""
        return self.heads * self.tokens * self.head_dim


@dataclass(frozen=True, kw_only=True)
class Account:
    """Lines of a scheme's energy: arithmetic, and memory."""

    compute: list[Scope]
    memory: list[Scope]


def float_attention(layer: Layer, bits: int) -> Account:
    """Attention with numbers of 8 bits (integers) or 32 bits (floats)."""
    multiply, addition = NUMBERS[bits]
    each = f"per pair of features in Q K^T and in S V, {bits} bits"
    return Account(
        compute=[
            _scope("multiplications", 2 * layer.pairs, multiply.picojoule, each),
            _scope("additions", 2 * layer.pairs, addition.picojoule, each),
        ],
        memory=[
            _memory("inputs and outputs", 4 * layer.values * bits, f"{bits} bits, once each"),
            _memory("scores", 2 * layer.scores * bits, f"{bits} bits, written and read"),
        ],
    )


def spiking_attention(layer: Layer) -> Account:
    """Attention that only accumulates: spikes of Q, K, V select what is added."""
    steps, adding = layer.steps, INT8_ADD.picojoule
    return Account(
        compute=[
            _scope(
                "score additions", steps * layer.pairs * layer.rate**2, adding, "8 bits where q and k spike"
            ),
            _scope("output additions", steps * layer.pairs * layer.rate, adding, "8 bits where v spikes"),
        ],
        memory=[
            _memory("inputs and outputs", 4 * steps * layer.values, "a bit per step"),
            _memory("scores", 2 * steps * SCORE_BITS * layer.scores, f"{SCORE_BITS} bits per step, twice"),
        ],
    )


def stochastic_attention(layer: Layer, register_picojoule: float | None = None) -> Account:
    """Stochastic spiking attention.

    A bit of an adder stands for what the source of the constants has no number for: an AND gate, a bit
    of a comparison, of an increment and of a shift register. A full adder holds two ANDs: an upper bound.

    Args:
        layer: the layer.
        register_picojoule: energy of a random bit; that of an adder's bit when None.
    """
    steps = layer.steps
    score_rate = layer.rate**2 if layer.score_rate is None else layer.score_rate
    score_bits, output_bits = (layer.head_dim - 1).bit_length(), (layer.tokens - 1).bit_length()
    score_draws, output_draws = steps * layer.scores, steps * layer.values
    drawn = score_draws * score_bits + output_draws * output_bits
    increment = f"{INCREMENT_BITS} bits change on average, per coincidence"
    bit = "as an adder's bit" if register_picojoule is None else "as given"
    return Account(
        compute=[
            _scope("AND gates", 2 * steps * layer.pairs, add(1), "a bit per pair, in scores and outputs"),
            _scope("score counters", steps * layer.pairs * layer.rate**2, add(INCREMENT_BITS), increment),
            _scope(
                "output counters",
                steps * layer.pairs * score_rate * layer.rate,
                add(INCREMENT_BITS),
                increment,
            ),
            _scope("score comparators", score_draws, add(score_bits), f"{score_bits} bits per score"),
            _scope("output comparators", output_draws, add(output_bits), f"{output_bits} bits per output"),
            _scope(
                "random bits",
                drawn / layer.sharing,
                add(1) if register_picojoule is None else register_picojoule,
                f"{bit}; a draw serves {layer.sharing}",
            ),
            Scope(name="clock and idle", events=0, picojoule=None, formula="unknown"),
        ],
        memory=[_memory("inputs and outputs", 4 * steps * layer.values, "a bit per step")],
    )


def _scope(name: str, events: float, picojoule: float, formula: str) -> Scope:
    return Scope(name=name, events=events, picojoule=picojoule, formula=formula)


def _memory(name: str, bits: float, formula: str) -> Scope:
    return _scope(name, bits, MEMORY_BIT, f"{formula}; a bit of a {MEMORY_BYTES // 1024} KiB memory")
