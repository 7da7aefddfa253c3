"""Integer attention of whole heads: floats become a job of codes, the job becomes outputs.

Codes are symmetric: the largest magnitude of a head's data is M = 2**(bits - 1) - 1. Everything after
`prepare` is exact in integers but for the softmax (`golden.integer.softmax`) and one division:

    U[l] = sum_j weight[j] * v[j,l]        S = sum_j weight[j]        X = (S * RATIO) >> bits
    out = sgn(U) * min(M, ((|U| << (12 - bits)) + (X >> 1)) // X)       RATIO = 2**12 * scale_o / scale_v
"""

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from golden.attention.calibrate import calibrate
from golden.attention.exact import softmax_attention
from golden.attention.job import HeadScales, bias_units
from golden.attention.normaliser import calibrate_output
from golden.code import check_range
from golden.errors import InputError
from golden.inputs import check_heads, check_scale
from golden.integer.softmax import exponent_step, weigh

MIN_BITS, MAX_BITS = 2, 8
RATIO_FRACTION_BITS = 12
RATIO_WIDTH = 15
# Below it S * RATIO would be a divisor of too few bits, zero at the end
MIN_RATIO = 4


def largest_code(bits: int) -> int:
    """M, the code of the scale."""
    return (1 << bits - 1) - 1


@dataclass(frozen=True, kw_only=True)
class IntegerJob:
    """Integers that describe the attention of several heads; the input of every engine.

    Attributes:
        bits: of a code, 2..8.
        q, k, v: codes -M..M, int64 [heads, tokens, head_dim].
        bias: int64 [heads, tokens, tokens] in score units, 0 at masked keys, or None.
        allowed: bool [heads, tokens, tokens], True = may be attended, or None for all.
        mantissa, shift: int64 [heads]; see `golden.integer.softmax`.
        ratio: int64 [heads].
    """

    bits: int
    q: NDArray[np.int64]
    k: NDArray[np.int64]
    v: NDArray[np.int64]
    bias: NDArray[np.int64] | None
    allowed: NDArray[np.bool_] | None
    mantissa: NDArray[np.int64]
    shift: NDArray[np.int64]
    ratio: NDArray[np.int64]

    @property
    def heads(self) -> int:
        return self.q.shape[0]

    @property
    def tokens(self) -> int:
        return self.q.shape[1]

    @property
    def head_dim(self) -> int:
        return self.q.shape[2]

    @property
    def terms(self) -> bool:
        """Whether bias or mask come with every score."""
        return self.bias is not None or self.allowed is not None


class PreparedIntegers(NamedTuple):
    """The integers of an engine, and beside them what leads back to numbers: the value of code M."""

    job: IntegerJob
    scales: HeadScales


@dataclass(frozen=True, kw_only=True)
class IntegerAttention:
    """Integers that an engine computes from a job.

    Attributes:
        distance: largest score of the row minus score, int64 [heads, tokens, tokens]; undefined at masked
            keys.
        weight: int64 [heads, tokens, tokens], 0 at masked keys.
        normaliser: S, int64 [heads, tokens].
        context: U, int64 [heads, tokens, head_dim].
        out: output codes, int64 [heads, tokens, head_dim].
    """

    distance: NDArray[np.int64]
    weight: NDArray[np.int64]
    normaliser: NDArray[np.int64]
    context: NDArray[np.int64]
    out: NDArray[np.int64]


def quantize(values: NDArray[np.float64], scale: NDArray[np.float64], bits: int) -> NDArray[np.int64]:
    """Codes: floor(values/scale * M + 1/2), at most M in magnitude.

    Args:
        values: [heads, tokens, head_dim].
        scale: value of code M, [heads].
        bits: of a code.
    """
    limit = largest_code(bits)
    codes = np.floor(np.clip(values / scale[:, None, None], -1, 1) * limit + 0.5)
    return np.clip(codes, -limit, limit).astype(np.int64)


def prepare(
    q: NDArray[np.floating],
    k: NDArray[np.floating],
    v: NDArray[np.floating],
    bits: int,
    *,
    bias: NDArray[np.floating] | None = None,
    mask: NDArray[np.bool_] | None = None,
    scale_q: ArrayLike | None = None,
    scale_k: ArrayLike | None = None,
    scale_v: ArrayLike | None = None,
    scale_o: ArrayLike | None = None,
) -> PreparedIntegers:
    """Turn float attention inputs into a job of integers, and the scales that were used.

    Args:
        q, k, v, bias, mask: see `golden.attention.job.prepare`.
        bits: of a code, 2..8.
        scale_q, scale_k, scale_v, scale_o: value of code M, [heads]; when absent the largest magnitude of
            the head's data (scale_o: of its exact softmax attention).

    Raises:
        InputError: see `golden.attention.job.prepare`; a scale that the integers cannot express.
    """
    check_range("bits", bits, MIN_BITS, MAX_BITS)
    arrays, bias, allowed = check_heads(q, k, v, bias, mask)
    heads, _, head_dim = arrays["q"].shape
    scales = {
        name: check_scale(f"scale_{name}", calibrate(arrays[name]) if given is None else given, heads)
        for name, given in (("q", scale_q), ("k", scale_k), ("v", scale_v))
    }
    limit = largest_code(bits)
    alphas = scales["q"] * scales["k"] / np.sqrt(head_dim) / limit**2
    terms = None if bias is None else np.stack([bias_units(b, a) for b, a in zip(bias, alphas, strict=True)])
    if scale_o is None:
        exact, _ = softmax_attention(arrays["q"], arrays["k"], arrays["v"], bias, allowed)
        scales["o"] = calibrate_output(exact, scales["v"])
    else:
        scales["o"] = check_scale("scale_o", scale_o, heads)
    steps = np.array([exponent_step(alpha, bits) for alpha in alphas], dtype=np.int64)
    job = IntegerJob(
        bits=bits,
        **{name: quantize(arrays[name], scales[name], bits) for name in "qkv"},
        bias=terms,
        allowed=allowed,
        mantissa=steps[:, 0],
        shift=steps[:, 1],
        ratio=_ratio(scales["o"], scales["v"]),
    )
    return PreparedIntegers(job, HeadScales(**scales))


def _ratio(scale_o: NDArray[np.float64], scale_v: NDArray[np.float64]) -> NDArray[np.int64]:
    ratio = np.floor(2.0**RATIO_FRACTION_BITS * (scale_o / scale_v) + 0.5)
    wrong = (ratio < MIN_RATIO) | (ratio >= 1 << RATIO_WIDTH)
    if wrong.any():
        o, v = scale_o[wrong][0], scale_v[wrong][0]
        raise InputError(
            f"scale_o/scale_v must be in 2^-10..2^{RATIO_WIDTH - RATIO_FRACTION_BITS}, "
            f"not {o / v:g} (scale_o {o:g}, scale_v {v:g})"
        )
    return ratio.astype(np.int64)


def compute(job: IntegerJob) -> IntegerAttention:
    """Attention in integers (the golden engine)."""
    score = job.q @ job.k.swapaxes(1, 2)
    if job.bias is not None:
        score += job.bias
    allowed = np.True_ if job.allowed is None else job.allowed
    largest = np.where(allowed, score, np.iinfo(np.int64).min).max(axis=-1)
    distance = np.where(allowed, largest[..., None] - score, 0)
    weight = np.where(allowed, weigh(distance, job.mantissa, job.shift, job.bits), 0)
    normaliser = weight.sum(axis=-1)
    context = weight @ job.v
    divisor = (normaliser * job.ratio[:, None]) >> job.bits
    scaled = (np.abs(context) << (RATIO_FRACTION_BITS - job.bits)) + (divisor >> 1)[..., None]
    magnitude = np.minimum(scaled // divisor[..., None], largest_code(job.bits))
    return IntegerAttention(
        distance=distance,
        weight=weight,
        normaliser=normaliser,
        context=context,
        out=np.sign(context) * magnitude,
    )


def decode_outputs(
    job: IntegerJob, integers: IntegerAttention, scales: HeadScales
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Real outputs of a job.

    Returns:
        (out, out_raw), float32 [heads, tokens, head_dim]: decoded output codes, and
        scale_v / M * context / normaliser.
    """
    limit = largest_code(job.bits)
    out = scales.o[:, None, None] / limit * integers.out
    raw = scales.v[:, None, None] / limit * integers.context / integers.normaliser[..., None]
    return out.astype(np.float32), raw.astype(np.float32)
