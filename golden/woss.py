"""Winner-oriented spike shift (WOSS): the spiking replacement of softmax.

Source: SpikedAttention (NeurIPS 2024), section 3.3. The key with the largest score (the winner)
fires first and its inhibitory broadcast holds the others back by their distance to it; a threshold
that falls linearly turns that distance into a phase, and the phase stands for an exponential.
"""

import math

import numpy as np
from numpy.typing import NDArray

from golden.code import PhaseCode, Spikes

# A step beyond every distance between scores fires all keys at once; larger values mean the same.
MAX_RAMP_STEP = 1 << 40


def ramp_step(alpha: float, code: PhaseCode) -> int:
    """STEP = floor(2**D * ln(B) / alpha + 1/2), in 2**-D score units.

    Args:
        alpha: real value of one score unit, scale_q*scale_k/sqrt(d)/2**F, positive.
        code: the code.

    Returns:
        The step, at most 2**40 (larger ones behave alike: every key fires at once).
    """
    exact = 2.0**code.ramp_bits * math.log(code.base) / alpha if alpha > 0 else math.inf
    return math.floor(min(exact, MAX_RAMP_STEP) + 0.5)


def winners(scores: NDArray[np.int64], allowed: NDArray[np.bool_] | None = None) -> NDArray[np.int64]:
    """W[..., i] = max_j P[..., i, j] over the allowed keys; each row must allow one.

    Args:
        scores: int64 [..., I, J].
        allowed: bool, broadcastable to `scores`, or None for all.
    """
    if allowed is None:
        return scores.max(axis=-1)
    return np.where(allowed, scores, np.iinfo(np.int64).min).max(axis=-1)


def spike_shift(
    scores: NDArray[np.int64],
    step: NDArray[np.int64],
    code: PhaseCode,
    window: int,
    allowed: NDArray[np.bool_] | None = None,
) -> tuple[NDArray[np.int64], Spikes]:
    """Winner and attention phases.

    Key j of row i fires at the first t in 0..window-1 with
    (W - P[i,j]) * 2**D <= floor(STEP/2) + t*STEP.

    Args:
        scores: int64 [..., I, J], below 2**44 in magnitude.
        step: int64 [...], ramp step per head, 0..2**40.
        code: the code.
        window: Ts, 1..T, steps of the ramp.
        allowed: bool, broadcastable to `scores`; a key that is not allowed takes no part.

    Returns:
        (winner int64 [..., I], attention spikes [..., I, J] with sign 0 or 1).
    """
    winner = winners(scores, allowed)
    late = winner[..., None] - scores
    late <<= code.ramp_bits
    late -= (step // 2)[..., None, None]
    # First t is ceil(late / STEP). The quotient is taken in float64: a quotient that is no integer
    # lies at least 1/STEP >= 2**-40 from the integers around it, and neighbouring floats up to 64,
    # the longest window, lie 2**-47 apart, so rounding cannot move it across an integer.
    phase = late / np.maximum(step, 1)[..., None, None]
    np.ceil(phase, out=phase)
    np.maximum(phase, 0, out=phase)
    fires = phase < window
    if not step.all():  # a step of zero lets only the winners fire
        fires &= (late <= 0) | (step > 0)[..., None, None]
    if allowed is not None:
        fires &= allowed
    phase = np.where(fires, phase, code.steps)
    return winner, Spikes(fires.astype(np.int8), phase.astype(np.int8))
