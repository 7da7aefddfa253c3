"""Random codes, numbers and spikes for random networks."""

from fractions import Fraction

import numpy as np

from golden.code import MAX_DENOMINATOR, MAX_STEPS, PhaseCode, Spikes
from golden.network.limits import MAX_OCTAVES
from golden.network.neuron import most_octaves

BASES = sorted(
    {Fraction(a, b) for b in range(1, MAX_DENOMINATOR + 1) for a in range(1, 2 * b + 1)}
)  # every log2 B of a code


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
