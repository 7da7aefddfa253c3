"""Codes and random spikes that the golden model's tests share; each seed gives the same case again."""

from fractions import Fraction

import numpy as np
from hypothesis import settings
from hypothesis import strategies as st

from golden.code import PhaseCode, Spikes

# The codes of the presets and of the paper's two tuned bases
NAMED_CODES = {
    "T16-1/2": PhaseCode(steps=16, log2_base=Fraction(1, 2)),
    "T40-1/5": PhaseCode(steps=40, log2_base=Fraction(1, 5)),
    "T8-3/4": PhaseCode(steps=8, log2_base=Fraction(3, 4), trace_bits=10),
    "T8-3/4-F8": PhaseCode(steps=8, log2_base=Fraction(3, 4), trace_bits=8),
    "T24-2/7": PhaseCode(steps=24, log2_base=Fraction(2, 7)),
}
ALL_BASES = sorted({Fraction(a, b) for b in range(1, 9) for a in range(1, 2 * b + 1)})

SEEDS = st.integers(0, 2**32 - 1)


def examples(count: int) -> settings:
    """Run a property on `count` cases, the same ones in each run."""
    return settings(max_examples=count, derandomize=True, deadline=None)


@st.composite
def codes(draw: st.DrawFn, max_steps: int = 64) -> PhaseCode:
    """Any code: a named one or one with all four parameters drawn."""
    if draw(st.booleans()):
        named = [code for code in NAMED_CODES.values() if code.steps <= max_steps]
        return draw(st.sampled_from(named))
    return PhaseCode(
        steps=draw(st.integers(1, max_steps)),
        log2_base=draw(st.sampled_from(ALL_BASES)),
        trace_bits=draw(st.integers(4, 16)),
        ramp_bits=draw(st.integers(0, 8)),
    )


def random_spikes(rng: np.random.Generator, shape: tuple[int, ...], code: PhaseCode) -> Spikes:
    """Spikes of every phase, with as many silent neurons as the case happens to have."""
    silent = rng.choice([0.0, 0.1, 0.9, 1.0])
    sign = np.where(rng.random(shape) < silent, 0, rng.choice([-1, 1], shape))
    phase = np.where(sign == 0, code.steps, rng.integers(0, code.steps, shape))
    return Spikes(sign.astype(np.int8), phase.astype(np.int8))
