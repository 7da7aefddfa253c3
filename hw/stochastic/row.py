"""A row of stochastic attention units with its adder and the second comparator."""

from amaranth.hdl import Cat, Module, Signal, Value, unsigned
from amaranth.lib import data, wiring
from amaranth.lib.wiring import In, Out

from hw.stochastic.unit import AttentionUnit

# Spikes that the first stage of the adder takes together, and terms of every later stage
CHUNK, FAN_IN = 8, 4


def adder_stages(tokens: int) -> int:
    """Cycles from the AND of scores and values to the registered sum."""
    terms, stages = -(-tokens // CHUNK), 1
    while terms > 1:
        terms, stages = -(-terms // FAN_IN), stages + 1
    return stages


def total(terms: list[Value]) -> Value:
    """Sum as a balanced tree."""
    if len(terms) == 1:
        return terms[0]
    half = len(terms) // 2
    return total(terms[:half]) + total(terms[half:])


class AttentionRow(wiring.Component):
    """Row i: scores S[i,:] of one time step, and outputs A[i,:] of the time step before it.

    Scores: see `AttentionUnit`; `final` in the cycle after the last feature takes them over, they
    stand in `score` from the next cycle on. Outputs: `spike` answers `v` after
    `adder_stages(tokens)` cycles, one feature per cycle.

    Parameters
        tokens, head_dim: N units, d features.

    Members
        q: query spike of the row.
        k: key spikes, one per unit.
        first, final: mark the first feature and the cycle after the last.
        score_draws: draws 0..d-1 of the units.
        allowed: scores that may spike, read with `final`.
        score: S[i,:].
        v: value spikes of a feature, one per unit.
        output_draw: draw 0..N-1 for the sum that leaves the adder.
        spike: A[i,l].
    """

    def __init__(self, tokens: int, head_dim: int) -> None:
        self.tokens, self.head_dim = tokens, head_dim
        draws = data.ArrayLayout(unsigned((head_dim - 1).bit_length()), tokens)
        super().__init__(
            {
                "q": In(1),
                "k": In(tokens),
                "first": In(1),
                "final": In(1),
                "score_draws": In(draws),
                "allowed": In(tokens),
                "score": Out(tokens),
                "v": In(tokens),
                "output_draw": In((tokens - 1).bit_length()),
                "spike": Out(1),
            }
        )

    def elaborate(self, platform: object) -> Module:
        m = Module()
        units = []
        for j in range(self.tokens):
            unit = m.submodules[f"unit_{j}"] = AttentionUnit(self.head_dim)
            m.d.comb += [
                unit.q.eq(self.q),
                unit.k.eq(self.k[j]),
                unit.first.eq(self.first),
                unit.draw.eq(self.score_draws[j]),
            ]
            units.append(unit.spike)
        with m.If(self.final):
            m.d.sync += self.score.eq(Cat(units) & self.allowed)

        terms: list[Value] = list(self.score & self.v)
        size = CHUNK
        while True:
            sums = []
            for low in range(0, len(terms), size):
                value = total(terms[low : low + size])
                stage = Signal.like(value, name=f"sum_{len(terms)}_{low}")
                m.d.sync += stage.eq(value)
                sums.append(stage)
            terms, size = sums, FAN_IN
            if len(terms) == 1:
                break
        m.d.comb += self.spike.eq(terms[0] > self.output_draw)
        return m
