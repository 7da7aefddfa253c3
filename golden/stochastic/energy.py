"""Energy of attention by operation counts: float, accumulate-only spiking, and stochastic.

The accounting of Stochastic Spiking Attention (AICAS 2024), section IV: arithmetic and memory
separately, for a 45 nm process, operations counted and multiplied by a constant each. The
paper's own table of operations is not reproduced here; every count and constant below is stated.

Counts are for all heads of one attention layer. N tokens, d features per head, T time steps.
    float       Q K^T and S V: 2*N*N*d multiplications and additions; softmax N*N exponentials are
                left out, as in the paper's family of estimates, which favours the float network
    spiking     binary Q, K, V, integer scores: Q K^T adds one where q and k spike; S V adds a score
                where v spikes
    stochastic  AND of q and k, an increment where it is 1; AND of S and v, an increment where it is
                1; a comparison per score and per output; a draw of random bits per comparison
Memory: every input is read once and every output written once; scores are written and read once
where they leave the arithmetic (float, spiking), and stay in flip-flops in the stochastic engine.
"""

from dataclasses import dataclass

# M. Horowitz, "Computing's energy problem", ISSCC 2014, figure 1.1.9: 45 nm, 0.9 V, in pJ
FLOAT32_MULTIPLY = 3.7
FLOAT32_ADD = 0.9
INT8_MULTIPLY = 0.2
INT8_ADD = 0.03
SRAM_READ_64_BITS_8_KB = 10.0
# Derived from those. One bit of an adder stands for an AND gate and for one bit of a comparison,
# of an increment and of a shift register: an upper bound for each, a full adder holds two ANDs
ADDER_BIT = INT8_ADD / 8
# An increment changes two bits on average (1 + 1/2 + 1/4 + ...)
INCREMENT = 2 * ADDER_BIT
SRAM_BIT = SRAM_READ_64_BITS_8_KB / 64
SCORE_BITS = 8


@dataclass(frozen=True, kw_only=True)
class Shape:
    """An attention layer.

    Attributes:
        tokens, head_dim, heads: N, d and number of heads.
        steps: T of the spiking schemes.
        rate: spikes per neuron and step of Q, K and V.
    """

    tokens: int
    head_dim: int
    heads: int
    steps: int
    rate: float

    @property
    def pairs(self) -> int:
        """Products of a feature of one token with one of another: heads * N * N * d."""
        return self.heads * self.tokens**2 * self.head_dim

    @property
    def scores(self) -> int:
        return self.heads * self.tokens**2

    @property
    def values(self) -> int:
        """Features of one of Q, K, V or of the output."""
        return self.heads * self.tokens * self.head_dim


@dataclass(frozen=True, kw_only=True)
class Energy:
    """Picojoule of an attention layer: arithmetic and memory."""

    compute: float
    memory: float


def float_attention(shape: Shape, bits: int) -> Energy:
    """Attention with numbers of 8 or 32 bits."""
    multiply, add = {8: (INT8_MULTIPLY, INT8_ADD), 32: (FLOAT32_MULTIPLY, FLOAT32_ADD)}[bits]
    moved = bits * (4 * shape.values + 2 * shape.scores)
    return Energy(compute=2 * shape.pairs * (multiply + add), memory=moved * SRAM_BIT)


def spiking_attention(shape: Shape) -> Energy:
    """Attention that only accumulates: spikes of Q, K, V select what is added."""
    additions = shape.pairs * (shape.rate**2 + shape.rate)
    moved = 4 * shape.values + 2 * SCORE_BITS * shape.scores
    return Energy(compute=shape.steps * additions * INT8_ADD, memory=shape.steps * moved * SRAM_BIT)


def stochastic_attention(shape: Shape) -> Energy:
    """Stochastic spiking attention."""
    score_rate = shape.rate**2
    gates = 2 * shape.pairs * ADDER_BIT
    increments = shape.pairs * (score_rate + score_rate * shape.rate) * INCREMENT
    # A comparison and the random bits it needs, for every score and every output
    drawn = shape.scores * (shape.head_dim - 1).bit_length() + shape.values * (shape.tokens - 1).bit_length()
    step = gates + increments + 2 * drawn * ADDER_BIT
    return Energy(compute=shape.steps * step, memory=shape.steps * 4 * shape.values * SRAM_BIT)
