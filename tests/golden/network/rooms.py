"""What random networks are drawn from: sizes, codes and spikes."""

from dataclasses import dataclass
from fractions import Fraction

import numpy as np

from golden.attention.job import MAX_BIAS_UNITS
from golden.code import MAX_DENOMINATOR, MAX_STEPS, PhaseCode, Spikes
from golden.network.limits import MAX_OCTAVES
from golden.network.neuron import most_octaves

BASES = sorted(
    {Fraction(a, b) for b in range(1, MAX_DENOMINATOR + 1) for a in range(1, 2 * b + 1)}
)  # every log2 B of a code


@dataclass(frozen=True, kw_only=True)
class Room:
    """Largest sizes of the networks of a core; widths of all tensors but q, k, v are at most `features`.
    `wide`: some biases are as large as the word of potentials allows; `held`: layers that read older spikes
    than those made last, and norms after the sums; `windows`: attention in groups of rows, with biases of at
    most `most_bias`, and masks; `gathers`: rows by index; `chains`: hidden neurons that enter hidden neurons;
    `parts`: scores of rows, and more of them than lanes; `streams`: share of the networks that the stream
    enters; `counts`: most networks take numbers of tokens in hardware.
    """

    code: PhaseCode
    weight_bits: int
    lanes: int
    tokens: int
    features: int
    head_dim: int
    heads: int
    wide: bool
    held: bool = False
    counts: bool = False
    windows: bool = False
    most_bias: int = MAX_BIAS_UNITS - 1
    gathers: bool = False
    chains: bool = False
    parts: bool = False
    streams: float = 0


def some(rng: np.random.Generator, most: int) -> int:
    """1..most: an end, or a number of random length."""
    if rng.random() < 0.25:
        return int(rng.choice([1, most, max(1, most - 1), min(2, most)]))
    return int(np.exp(rng.uniform(0, np.log(most + 1))))


def random_code(rng: np.random.Generator) -> PhaseCode:
    """Any code whose spikes fit a potential."""
    while True:
        code = PhaseCode(
            steps=some(rng, MAX_STEPS) if rng.random() < 0.5 else int(rng.integers(4, 33)),
            log2_base=BASES[rng.integers(len(BASES))],
            trace_bits=int(rng.integers(4, 17)),
            ramp_bits=int(rng.integers(0, 9)),
        )
        if most_octaves(code) <= MAX_OCTAVES:
            return code


def random_spikes(rng: np.random.Generator, shape: tuple[int, ...], code: PhaseCode) -> Spikes:
    """Spikes of random density, sometimes silent or saturated."""
    density = rng.choice([0.0, 0.2, 0.5, 0.9, 1.0], p=[0.05, 0.2, 0.35, 0.2, 0.2])
    sign = np.where(rng.random(shape) < density, rng.choice([-1, 1], shape), 0)
    if rng.random() < 0.2:
        sign = np.abs(sign)
    phase = rng.integers(0, code.steps, shape) * (rng.random() < 0.8)
    return Spikes(sign.astype(np.int8), np.where(sign != 0, phase, code.steps).astype(np.int8))
