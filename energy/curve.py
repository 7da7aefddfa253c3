"""Energy of attention over the share of q, k and v that fire, and where spikes and numbers meet."""

import numpy as np

from energy import mac
from energy.attention import spiking_attention
from energy.events import AttentionEvents, at_density
from golden.attention.config import CoreConfig

DENSITIES = [round(x, 3) for x in np.linspace(0.05, 1.0, 20).tolist()]


def density_curve(
    events: AttentionEvents, survivors: float, config: CoreConfig
) -> tuple[list[float], list[float]]:
    """Microjoules of the spiking and of the multiply-accumulate lanes over DENSITIES."""
    points = [at_density(events, survivors, density) for density in DENSITIES]
    spiking = [spiking_attention(point, config).microjoule for point in points]
    return spiking, [mac.attention(point, config).microjoule for point in points]


def crossover(densities: list[float], spiking: list[float], dense: list[float]) -> float | None:
    """Density at which the spiking energy meets the dense one, between samples linearly; None if never."""
    gaps = [s - d for s, d in zip(spiking, dense, strict=True)]
    for left in range(len(gaps) - 1):
        a, b = gaps[left], gaps[left + 1]
        if a <= 0 < b:
            return densities[left] + (densities[left + 1] - densities[left]) * -a / (b - a)
    return None
