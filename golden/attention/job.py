"""Spiked attention of whole heads: floats become a job of integers, the job becomes spikes.

Source: SpikedAttention (NeurIPS 2024), section 3. `prepare` is everything that happens before
hardware (scales, codes, bias in score units, ramp step, output ratio); `compute` is what hardware
does, in integers; `decode_outputs` returns to floats. Engines differ in `compute` only.
"""

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from golden.attention.calibrate import calibrate
from golden.attention.exact import softmax_attention
from golden.attention.normaliser import calibrate_output, fire_output, output_ratio
from golden.attention.product import trace_product, transpose
from golden.attention.woss import SCORE_LIMIT, ramp_step, spike_shift
from golden.code import PhaseCode, Spikes, check_range, decode, encode
from golden.errors import InputError
from golden.inputs import MASKING_BIAS, check_heads, check_scale

# Scores of the heads that are computed together: their intermediate arrays stay in the cache
BLOCK_SCORES = 1 << 15
# A bias may take half of the range of scores; the product, of fewer than 2**35 features, stays in the other
MAX_BIAS_UNITS = SCORE_LIMIT // 2


@dataclass(frozen=True, kw_only=True)
class AttentionJob:
    """Integers that describe the attention of several heads; the input of every engine.

    Attributes:
        code: the code.
        window: Ts, steps of the WOSS ramp, 1..T.
        q, k, v: spikes [heads, tokens, head_dim].
        bias: int64 [heads, tokens, tokens] in score units, 0 at masked keys, or None.
        allowed: bool [heads, tokens, tokens], True = may be attended, or None for all.
        ramp_step: int64 [heads].
        ratio: int64 [heads, b]; see `golden.attention.normaliser`.
    """

    code: PhaseCode
    window: int
    q: Spikes
    k: Spikes
    v: Spikes
    bias: NDArray[np.int64] | None
    allowed: NDArray[np.bool_] | None
    ramp_step: NDArray[np.int64]
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


@dataclass(frozen=True, kw_only=True)
class HeadScales:
    """What a spike of phase 0 stands for in q, k, v and the output o of each head, float64 [heads]."""

    q: NDArray[np.float64]
    k: NDArray[np.float64]
    v: NDArray[np.float64]
    o: NDArray[np.float64]


class Prepared(NamedTuple):
    """The integers of an engine, and beside them what leads back to numbers."""

    job: AttentionJob
    scales: HeadScales


@dataclass(frozen=True, kw_only=True)
class AttentionSpikes:
    """Integers that an engine computes from a job.

    Attributes:
        score: P, int64 [heads, tokens, tokens], bias included; undefined at masked keys.
        winner: W, int64 [heads, tokens].
        attn_phase: int8 [heads, tokens, tokens], -1 where silent.
        normaliser: S, int64 [heads, tokens].
        context: U, int64 [heads, tokens, head_dim].
        out: output spikes [heads, tokens, head_dim].
    """

    score: NDArray[np.int64]
    winner: NDArray[np.int64]
    attn_phase: NDArray[np.int8]
    normaliser: NDArray[np.int64]
    context: NDArray[np.int64]
    out: Spikes


def score_unit(scale_q: float, scale_k: float, head_dim: int, code: PhaseCode) -> float:
    """alpha: the real value (logit) of one score unit."""
    return scale_q * scale_k / np.sqrt(head_dim) / 2.0**code.trace_bits


def prepare(
    q: NDArray[np.floating],
    k: NDArray[np.floating],
    v: NDArray[np.floating],
    code: PhaseCode,
    *,
    window: int | None = None,
    bias: NDArray[np.floating] | None = None,
    mask: NDArray[np.bool_] | None = None,
    scale_q: ArrayLike | None = None,
    scale_k: ArrayLike | None = None,
    scale_v: ArrayLike | None = None,
    scale_o: ArrayLike | None = None,
) -> Prepared:
    """Turn float attention inputs into a job of integers, and the scales that were used.

    Args:
        q, k, v: [heads, tokens, head_dim], or [tokens, head_dim] for one head; finite, and in the
            range of float32 like all inputs. A key that no row may attend takes no part, and its k
            and v may be anything.
        code: the code.
        window: steps of the WOSS ramp, 1..T; T when absent.
        bias: [heads, tokens, tokens], added to the logits; finite, or `MASKING_BIAS` or less, which
            masks the key. What it holds at masked keys is not looked at.
        mask: bool [tokens] or [heads, tokens, tokens]; True = may be attended.
        scale_q, scale_k, scale_v, scale_o: [heads], at least 1e-100; when absent the largest
            magnitude of the head's data (scale_o: of its exact softmax attention).

    Raises:
        InputError: wrong shape, NaN or infinity that takes part, empty array, a row without any key, a
            scale out of its range, a bias beyond the range of scores.
    """
    if window is None:
        window = code.steps
    check_range("window", window, 1, code.steps)
    arrays, bias, allowed = check_heads(q, k, v, bias, mask)
    heads, _, head_dim = arrays["q"].shape

    scales = {
        name: check_scale(f"scale_{name}", calibrate(arrays[name]) if given is None else given, heads)
        for name, given in (("q", scale_q), ("k", scale_k), ("v", scale_v))
    }
    units = [score_unit(scales["q"][h], scales["k"][h], head_dim, code) for h in range(heads)]
    terms = None if bias is None else np.stack([bias_units(b, u) for b, u in zip(bias, units, strict=True)])
    if scale_o is None:
        exact, _ = softmax_attention(arrays["q"], arrays["k"], arrays["v"], bias, allowed)
        scales["o"] = calibrate_output(exact, scales["v"])
    else:
        scales["o"] = check_scale("scale_o", scale_o, heads)

    spikes = {name: encode(arrays[name], scales[name][:, None, None], code) for name in ("q", "k", "v")}
    job = AttentionJob(
        code=code,
        window=window,
        q=spikes["q"],
        k=spikes["k"],
        v=spikes["v"],
        bias=terms,
        allowed=allowed,
        ramp_step=np.array([ramp_step(u, code) for u in units], dtype=np.int64),
        ratio=np.stack([output_ratio(o, v, code) for o, v in zip(scales["o"], scales["v"], strict=True)]),
    )
    return Prepared(job, HeadScales(**scales))


def compute(job: AttentionJob) -> AttentionSpikes:
    """Attention in integers: products, WOSS, context, output codes (the golden engine)."""
    pairs = (job.heads, job.tokens, job.tokens)
    score = np.empty(pairs, np.int64)
    winner = np.empty(pairs[:2], np.int64)
    attn_phase = np.empty(pairs, np.int8)
    normaliser = np.empty(pairs[:2], np.int64)
    context = np.empty(job.v.shape, np.int64)
    weight = np.append(job.code.trace[: job.code.steps], 0)
    at_once = max(1, BLOCK_SCORES // job.tokens**2)
    for start in range(0, job.heads, at_once):
        h = slice(start, start + at_once)
        score[h] = trace_product(job.q[h], transpose(job.k[h]), job.code)
        if job.bias is not None:
            score[h] += job.bias[h]
        allowed = None if job.allowed is None else job.allowed[h]
        winner[h], attention = spike_shift(score[h], job.ramp_step[h], job.code, job.window, allowed)
        attn_phase[h] = np.where(attention.sign != 0, attention.phase, -1)
        normaliser[h] = weight.take(attention.phase).sum(axis=-1)
        context[h] = trace_product(attention, job.v[h], job.code, phases=job.window)
    return AttentionSpikes(
        score=score,
        winner=winner,
        attn_phase=attn_phase,
        normaliser=normaliser,
        context=context,
        out=fire_output(context, normaliser, job.ratio, job.code),
    )


def decode_outputs(
    job: AttentionJob, spikes: AttentionSpikes, scales: HeadScales
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Real outputs of a job.

    Returns:
        (out, out_raw), float32 [heads, tokens, head_dim]: decoded output codes, and
        scale_v * context / normaliser.
    """
    out = decode(spikes.out, scales.o[:, None, None], job.code)
    raw = scales.v[:, None, None] * spikes.context / spikes.normaliser[..., None]
    return out.astype(np.float32), raw.astype(np.float32)


def bias_units(bias: NDArray[np.floating], alpha: float) -> NDArray[np.int64]:
    """Additive logits in score units: floor(bias/alpha + 1/2).

    Raises:
        InputError: a term leaves the range of scores.
    """
    units = np.floor(np.asarray(bias, dtype=np.float64) / alpha + 0.5)
    if np.abs(units).max() >= MAX_BIAS_UNITS:
        raise InputError(
            f"bias must stay below {MAX_BIAS_UNITS * alpha:g} in magnitude at these scales, "
            f"not {bias.flat[np.abs(units).argmax()]:g} ({MASKING_BIAS:g} or less masks a key)"
        )
    return units.astype(np.int64)
