"""Scales from recorded ranges: largest magnitudes over the calibration samples.

Source: SpikedAttention (NeurIPS 2024), section 3 (training-free conversion by weight normalisation).
Scales per channel are folded into weights, so they cost nothing at run time: those of a dense layer's
inputs into its own, those of q, k and v into the weights that make them, that of v also into the
projection.
"""

import numpy as np
from numpy.typing import NDArray

from golden.attention.normaliser import bounded_output_scale
from models.conversion.scheme import AttentionGranularity, Scheme
from models.floating.engine import Floats, SpikingAttention
from models.floating.functions import Norm
from models.floating.recording import Ranges

# A channel that calibration hardly sees keeps this share of the largest range: its weights, scaled
# with it, must not vanish beside the others in 8 bits.
SMALLEST_RANGE = 2.0**-10


def balance_of(ranges: Floats, granularity: AttentionGranularity) -> NDArray[np.float64]:
    """Divisors of q, k and v, [3, heads, d or 1], from ranges [4, heads, d].

    Per channel, q and k get the geometric mean of their ranges, and v gets 1. Else all are 1.
    """
    heads = ranges.shape[1]
    if granularity != "channel":
        return np.ones((3, heads, 1))
    top = ranges.max(axis=-1, keepdims=True)
    q, k, v, _ = np.maximum(ranges, SMALLEST_RANGE * np.where(top > 0, top, 1.0)).astype(np.float64)
    divisor = np.sqrt(q / k)
    return np.stack([divisor, 1 / divisor, v])


def attention_of(ranges: Floats, scheme: Scheme) -> SpikingAttention:
    """Attention in spikes from its ranges [4, heads, d]."""
    granularity = scheme.attention_granularity
    balance = balance_of(ranges, granularity)
    largest = (ranges / balance[[0, 1, 2, 2]]).max(axis=-1)
    if granularity == "tensor":
        largest = np.repeat(largest.max(axis=1, keepdims=True), largest.shape[1], axis=1)
    largest[largest <= 0] = 1.0
    largest[3] = bounded_output_scale(largest[3], largest[2])
    window = scheme.code.steps if scheme.window is None else scheme.window
    return SpikingAttention(code=scheme.code, window=window, scales=largest, balance=balance)


def linear_scales(name: str, ranges: Ranges, scheme: Scheme) -> NDArray[np.float64]:
    """Scale of each input of a dense layer, [inputs]."""
    block, _, part = name.rpartition(".")
    attention = ranges.attention.get(f"{block}.attention")
    largest = ranges.linear[name].astype(np.float64)
    if part == "projection" and attention is not None:
        # Its inputs are the output spikes of attention
        spiking = attention_of(attention, scheme)
        output = spiking.scales[3][:, None] * spiking.balance[2]
        return np.broadcast_to(output, attention.shape[1:]).ravel()
    top = largest.max() if largest.max() > 0 else 1.0
    if scheme.granularity == "tensor":
        return np.full_like(largest, top)
    return np.maximum(largest, SMALLEST_RANGE * top)


def after_norm(norm: Norm, scale: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """(scale, offset) [inputs] with which a dense layer reads the spikes of a norm as they are.

    Args:
        norm: gain and offset of the float norm.
        scale: of the norm's spikes, before these.
    """
    # Without a gain the neuron is silent; any positive scale does, a small one leaves the weights alone
    gain = np.maximum(np.abs(norm.weight).astype(np.float64), 1e-12)
    return gain * scale, norm.bias.astype(np.float64)
