"""Attention of a layer as numbers, as accumulated spikes, and as stochastic spikes: arithmetic and memory.

The accounting of Stochastic Spiking Attention (AICAS 2024, arXiv 2402.09109), section IV: operations
of a 45 nm process, counted and multiplied by a price each, arithmetic and memory apart. The paper's
own table of operations is not reproduced; every count is a line here, every price one of `energy.prices`.

    float       Q K^T and S V: N*N*d multiplications and additions each. Softmax is left out, which
                favours the float network
    spiking     Q K^T adds one where q and k spike; S V adds a score where v spikes
    stochastic  the full array of `hw.stochastic`: AND of q and k, and of S and v, for every pair; a
                count or an addition where it is 1; a comparison per score and per output; the
                registers of the plan, and the scaling of their draws to 0..size-1

Memory: inputs are read and outputs written once; scores are written and read once where they leave
the arithmetic (float, spiking) and stay in flip-flops in the stochastic engine, which keeps the
values of a step until its scores are known. Q, K and V come as spikes: encoders are not counted;
clock, control, queues and wires are on no side.
"""

from dataclasses import dataclass
from typing import Literal

from energy import mac
from energy.ledger import Ledger, Line, clock_line
from energy.prices import access, add, and_gate, float_add, float_multiply, register_bit
from golden.code import check_range
from golden.errors import InputError
from golden.signed_digits import additions
from golden.stochastic.plan import Banks, RandomPlan

# Stochastic Spiking Attention, abstract: the float network's energy over that of SSA
PAPER_RATIOS = {"compute": 6.3, "memory": 1.7}
SCORE_BITS = 8
# Bits of a counter that change per increment, on average: 1 + 1/2 + 1/4 + ...
INCREMENT_BITS = 2
# What holds inputs, outputs and the scores that leave the arithmetic, on every side
MEMORY = 8 * 8 * 1024


@dataclass(frozen=True, kw_only=True)
class Layer:
    """An attention layer and how often its spikes come.

    Attributes:
        heads, tokens, head_dim: of the layer.
        steps: T of the spiking schemes.
        rate: share of the q, k, v spikes that are there, per step.
        score_rate: likewise for the stochastic scores; rate**2 when None.

    Raises:
        InputError: a field is outside its range.
    """

    heads: int
    tokens: int
    head_dim: int
    steps: int
    rate: float
    score_rate: float | None = None

    def __post_init__(self) -> None:
        for name in ("heads", "tokens", "head_dim", "steps"):
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

    @property
    def most_terms(self) -> int:
        """Terms of the longer of the two sums, over features and over tokens."""
        return max(self.head_dim, self.tokens)


@dataclass(frozen=True, kw_only=True)
class Account:
    """A scheme's energy: arithmetic, and memory."""

    compute: Ledger
    memory: Ledger


def float_attention(layer: Layer, bits: Literal[8, 32]) -> Account:
    """Attention with numbers of 8 bits (integers) or 32 bits (floats)."""
    pairs = 2 * layer.pairs
    floats = [Line("multiplications", pairs, float_multiply()), Line("additions", pairs, float_add())]
    compute = floats if bits == 32 else mac.products(pairs, layer.most_terms)
    return Account(
        compute=Ledger(*compute),
        memory=Ledger(
            _memory("inputs and outputs", 4 * layer.values * bits, f"{bits} bits, once each"),
            _memory("scores", 2 * layer.scores * bits, f"{bits} bits, written and read"),
        ),
    )


def spiking_attention(layer: Layer) -> Account:
    """Attention that only accumulates: spikes of Q, K, V select what is added."""
    steps, pairs = layer.steps, layer.steps * layer.pairs
    output = add(mac.sum_bits(SCORE_BITS, layer.tokens))
    return Account(
        compute=Ledger(
            Line("score additions", pairs * layer.rate**2, add(SCORE_BITS), "q and k spike of a feature"),
            Line("output additions", pairs * layer.rate, output, "v spike"),
        ),
        memory=Ledger(
            _memory("inputs and outputs", 4 * steps * layer.values, "a bit per step"),
            _memory("scores", 2 * steps * SCORE_BITS * layer.scores, f"{SCORE_BITS} bits per step, twice"),
        ),
    )


def stochastic_attention(
    layer: Layer, register_picojoule: float | None = None, plan: RandomPlan | None = None
) -> Account:
    """Stochastic spiking attention on a full array of units.

    A bit of an adder stands for what the source of the prices has no number for: an AND gate, a bit
    of a comparison, of a count and of a shift register. A full adder holds two ANDs, and gates are
    charged for every pair, spikes or not: an upper bound. Counters and row adders are charged for what
    spikes change. A draw moves all bits of its register on, however few of them are compared.

    Args:
        layer: the layer.
        register_picojoule: energy of a bit of the generators; that of an adder's bit when None.
        plan: which comparators share a draw; the default plan when None.
    """
    steps, plan = layer.steps, plan or RandomPlan()
    score_rate = layer.rate**2 if layer.score_rate is None else layer.score_rate
    sizes = {"score": layer.head_dim, "output": layer.tokens}
    # Once per step and head, and once per feature of it
    events = {"score": layer.heads * steps, "output": layer.heads * steps * layer.head_dim}
    banks = Banks(plan=plan, rows=layer.tokens, tokens=layer.tokens).sizes
    register_bits, scalings = 0, []
    for name, size in sizes.items():
        generators, draws, *_ = banks[name]
        # Several draws of a generator at once are looked ahead, beside the register itself
        ahead = draws * plan.draw_bits if draws > 1 else 0
        register_bits += events[name] * generators * (plan.width + ahead)
        scalings.append(_scaling(name, events[name] * generators * draws, size, plan.draw_bits))
    score_bits, output_bits = layer.head_dim.bit_length(), layer.tokens.bit_length()
    levels = (layer.tokens - 1).bit_length()
    pairs = steps * layer.pairs
    counted = INCREMENT_BITS * pairs * layer.rate**2
    summed = levels * pairs * score_rate * layer.rate
    registers = f"register of {plan.width} bits; score: {plan.score}, output: {plan.output}"
    return Account(
        compute=Ledger(
            Line("AND gates", 2 * pairs, and_gate(), "pair, in scores and outputs"),
            Line("score counters", counted, add(1), f"coincidence, {INCREMENT_BITS} bits on average"),
            Line("row adders", summed, add(1), f"coincidence, a bit in each of {levels} levels"),
            Line("score comparators", steps * layer.scores, add(score_bits), "score"),
            Line("output comparators", steps * layer.values, add(output_bits), "output"),
            Line("random numbers", register_bits, register_bit(register_picojoule), registers),
            *scalings,
            clock_line(None, None),
        ),
        memory=Ledger(
            _memory("inputs and outputs", 4 * steps * layer.values, "a bit per step"), _delay(layer)
        ),
    )


def _scaling(name: str, draws: int, size: int, draw_bits: int) -> Line:
    """Draws times `size`, from shifts and additions of canonical signed digits."""
    odd = size // (size & -size)
    count = additions([size])
    how = f"draw, {count} each, times {size}" if count else f"draw; {size} is a power of two"
    return Line(f"scaling of {name} draws", draws * count, add(draw_bits + odd.bit_length()), how)


def _delay(layer: Layer) -> Line:
    """Values of a step wait for its scores in one half of a memory while the other half fills."""
    memory = 2 * layer.tokens << (layer.head_dim - 1).bit_length()
    bits = 2 * layer.steps * layer.values
    return Line("values that wait", bits, access(1, memory), "step, written and read")


def _memory(name: str, bits: float, per: str) -> Line:
    return Line(name, bits, access(1, MEMORY), per)
