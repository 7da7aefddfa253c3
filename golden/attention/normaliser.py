"""Output neuron whose falling threshold carries the normaliser: attention without a divider.

The attention output is scale_v * U / S, with U the context and S the normaliser. The neuron fires
at the first phase p with |U| >= theta * (scale_o/scale_v) * S * B**-p. Integer form, fixed here:

    RATIO[r] = floor(2**16 * theta * (scale_o/scale_v) * 2**(-r/b) + 1/2),  r = 0..b-1
    |U| << (16 + o) >= S * RATIO[r]                                          with a*p = o*b + r

Only RATIO is rounded (to 2**-17 absolute); the comparison itself is exact.
"""

import numpy as np
from numpy.typing import NDArray

from golden.attention.calibrate import calibrate
from golden.code import PhaseCode, Spikes
from golden.errors import InputError

RATIO_FRACTION_BITS = 16
RATIO_INTEGER_BITS = 3
RATIO_WIDTH = RATIO_FRACTION_BITS + RATIO_INTEGER_BITS
MAX_RATIO = (1 << RATIO_WIDTH) - 1
# Calibration keeps scale_o/scale_v above this, where its rounding is below 0.4 %
MIN_CALIBRATED_RATIO = 2.0**-8


def calibrate_output(outputs: NDArray[np.floating], scale_v: NDArray[np.float64]) -> NDArray[np.float64]:
    """scale_o of each head from its attention outputs: the largest magnitude, in range for the ratio.

    Args:
        outputs: exact attention outputs [..., heads, tokens, head_dim].
        scale_v: [heads]; an output is a mean of values and cannot exceed it.
    """
    return bounded_output_scale(calibrate(outputs), scale_v)


def bounded_output_scale(largest: NDArray[np.float64], scale_v: NDArray[np.float64]) -> NDArray[np.float64]:
    """scale_o of each head from the largest magnitude of its outputs: in 2**-8..1 of scale_v."""
    return np.clip(largest, MIN_CALIBRATED_RATIO * scale_v, scale_v)


def output_ratio(scale_o: float, scale_v: float, code: PhaseCode) -> NDArray[np.int64]:
    """RATIO[0..b-1], int64.

    Raises:
        InputError: scale_o/scale_v leaves the fixed-point range.
    """
    residues = np.arange(code.log2_base.denominator) / code.log2_base.denominator
    exact = 2.0**RATIO_FRACTION_BITS * code.threshold_shift * (scale_o / scale_v) * 2.0**-residues
    if not (exact.min() >= 0.5 and exact.max() < 2**RATIO_WIDTH - 0.5):
        raise InputError(
            f"scale_o/scale_v must be in 2^-{RATIO_FRACTION_BITS}..2^{RATIO_INTEGER_BITS}, "
            f"not {scale_o / scale_v:g} (scale_o {scale_o:g}, scale_v {scale_v:g})"
        )
    return np.floor(exact + 0.5).astype(np.int64)


def fire_output(
    context: NDArray[np.int64], normaliser: NDArray[np.int64], ratio: NDArray[np.int64], code: PhaseCode
) -> Spikes:
    """Output codes.

    Args:
        context: U, int64 [..., I, L].
        normaliser: S, int64 [..., I], positive.
        ratio: RATIO, int64 [..., b].
        code: the code.

    Returns:
        Spikes [..., I, L].
    """
    magnitude = np.abs(context)
    phase = np.zeros(context.shape, dtype=np.int8)
    threshold = np.full_like(normaliser, np.iinfo(np.int64).max)
    for p in range(code.steps):
        octaves, residue = code.octave(p)
        # |U| << s >= X exactly where |U| >= ceil(X / 2**s). The running minimum keeps "first phase"
        # true where the rounding of small ratios makes a later threshold the higher one.
        scaled = -(-(normaliser * ratio[..., residue, None]) >> (RATIO_FRACTION_BITS + octaves))
        threshold = np.minimum(threshold, scaled)
        phase += magnitude < threshold[..., None]
    sign = np.where(phase < code.steps, np.sign(context), 0)
    return Spikes(sign.astype(np.int8), phase)
