"""Leaky integrate-and-fire layers in integers: the neurons that make Q, K and V.

Source: Stochastic Spiking Attention (AICAS 2024), section II: leak 1 - 1/tau, threshold, reset to
zero. Here tau is a power of two, so that the leak is a shift:

    v <- v - floor(v / tau) + x;   spike where v >= threshold;   v <- 0 where it spiked
"""

import numpy as np
from numpy.typing import NDArray

from golden.code import check_range

MAX_TAU_BITS = 8


def fire(
    potential: NDArray[np.integer], current: NDArray[np.integer], threshold: int, tau_bits: int
) -> tuple[NDArray[np.bool_], NDArray[np.integer]]:
    """One time step of LIF neurons.

    Args:
        potential: v before the step, signed integers of any shape.
        current: x, same shape and dtype.
        threshold: spike where v reaches it.
        tau_bits: log2 of tau.

    Returns:
        (spikes, potential after the step).
    """
    risen = potential - (potential >> tau_bits) + current
    spikes = risen >= threshold
    return spikes, np.where(spikes, 0, risen).astype(risen.dtype)


def lif_layer(current: NDArray[np.integer], threshold: int, tau_bits: int = 1) -> NDArray[np.bool_]:
    """Spike trains of LIF neurons that start at rest.

    Args:
        current: signed integers [steps, ...].
        threshold: at least 1.
        tau_bits: log2 of tau, 0..8; 0 forgets everything between steps.

    Raises:
        InputError: threshold or tau_bits outside its range.
    """
    check_range("threshold", threshold, 1, 1 << 30)
    check_range("tau_bits", tau_bits, 0, MAX_TAU_BITS)
    spikes = np.empty(current.shape, dtype=np.bool_)
    potential = np.zeros_like(current[0])
    for step, x in enumerate(current):
        spikes[step], potential = fire(potential, x, threshold, tau_bits)
    return spikes
