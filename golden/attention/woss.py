"""Winner-oriented spike shift (WOSS): the spiking replacement of softmax.

Source: SpikedAttention (NeurIPS 2024), section 3.3. The key with the largest score (the winner)
fires first and its inhibitory broadcast holds the others back by their distance to it; a threshold
that falls linearly turns that distance into a phase, and the phase stands for an exponential.
"""

import math

import numpy as np
from numpy.typing import NDArray

from golden.code import PhaseCode, Spikes

# Scores of golden stay below this in magnitude, so that distances times 2**D fit int64
SCORE_LIMIT = 1 << 52
# Half of it is above every distance of two scores times 2**D: with any larger step, too, all keys fire
# at once
MAX_RAMP_STEP = 1 << 62


def ramp_step(alpha: float, code: PhaseCode) -> int:
    """STEP = floor(2**D * ln(B) / alpha + 1/2), in 2**-D score units.

    Args:
        alpha: real value of one score unit, scale_q*scale_k/sqrt(d)/2**F, positive.
        code: the code.

    Returns:
        The step, at most `MAX_RAMP_STEP`.
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
        scores: int64 [..., I, J], below `SCORE_LIMIT` in magnitude.
        step: int64 [...], ramp step per head, 0..`MAX_RAMP_STEP`.
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
    # First t is ceil(late / STEP), in integers: minus the floor of the quotient with -late
    phase = np.negative(late)
    phase //= np.maximum(step, 1)[..., None, None]
    np.negative(phase, out=phase)
    np.maximum(phase, 0, out=phase)
    fires = phase < window
    if not step.all():  # a step of zero lets only the winners fire
        fires &= (late <= 0) | (step > 0)[..., None, None]
    if allowed is not None:
        fires &= allowed
    phase = np.where(fires, phase, code.steps)
    return winner, Spikes(fires.astype(np.int8), phase.astype(np.int8))


def thresholds(
    winner: NDArray[np.int64], step: NDArray[np.int64], code: PhaseCode, window: int
) -> NDArray[np.int64]:
    """The falling threshold of the ramp in score units: a key has fired by step t when its score reaches it.

    ceil((W * 2**D - floor(STEP/2) - t*STEP) / 2**D), the condition of `spike_shift` solved for the score;
    where that is below every score, -`SCORE_LIMIT`.

    Args:
        winner: int64 [..., I].
        step, code, window: see `spike_shift`.

    Returns:
        int64 [..., I, window].
    """
    # Of any size: a large step times the window leaves 64 bits
    large = step.astype(object)[..., None]
    fallen = large // 2 + large * np.arange(window).astype(object)
    height = (winner.astype(object) << code.ramp_bits)[..., None] - fallen[..., None, :]
    return np.maximum(-(-height >> code.ramp_bits), -SCORE_LIMIT).astype(np.int64)
