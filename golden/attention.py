"""Spiked attention of whole heads: floats become a job of integers, the job becomes spikes.

Source: SpikedAttention (NeurIPS 2024), section 3. `prepare` is everything that happens before
hardware (scales, codes, bias in score units, ramp step, output ratio); `compute` is what hardware
does, in integers; `decode_outputs` returns to floats. Engines differ in `compute` only.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from golden.calibrate import calibrate
from golden.code import PhaseCode, Spikes, check_range, decode, encode
from golden.errors import InputError
from golden.exact import softmax_attention
from golden.normaliser import MIN_CALIBRATED_RATIO, fire_output, output_ratio
from golden.product import trace_product, transpose
from golden.woss import ramp_step, spike_shift

# Scores stay far inside int64 when the additive term is below this
MAX_BIAS_UNITS = 1 << 40


@dataclass(frozen=True, kw_only=True)
class AttentionJob:
    """Integers that describe the attention of several heads; the input of every engine.

    Attributes:
        code: the code.
        window: Ts, steps of the WOSS ramp, 1..T.
        q, k, v: spikes [heads, tokens, head_dim].
        bias: int64 [heads, tokens, tokens] in score units, or None.
        allowed: bool [heads, tokens, tokens], True = may be attended, or None for all.
        ramp_step: int64 [heads].
        ratio: int64 [heads, b]; see `golden.normaliser`.
        scale_q, scale_k, scale_v, scale_o: float64 [heads].
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
    scale_q: NDArray[np.float64]
    scale_k: NDArray[np.float64]
    scale_v: NDArray[np.float64]
    scale_o: NDArray[np.float64]

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
) -> AttentionJob:
    """Turn float attention inputs into a job of integers.

    Args:
        q, k, v: [heads, tokens, head_dim], or [tokens, head_dim] for one head; finite.
        code: the code.
        window: steps of the WOSS ramp, 1..T; T when absent.
        bias: [heads, tokens, tokens], added to the logits; finite.
        mask: bool [tokens] or [heads, tokens, tokens]; True = may be attended.
        scale_q, scale_k, scale_v, scale_o: [heads], positive; when absent the largest magnitude
            of the head's data (scale_o: of its exact softmax attention).

    Raises:
        InputError: wrong shape, NaN or infinity, empty array, a row without any key, a scale that
            is not positive, a bias beyond the range of scores.
    """
    arrays = {name: check_array(name, value, (2, 3)) for name, value in (("q", q), ("k", k), ("v", v))}
    arrays = {name: value.reshape((-1, *value.shape[-2:])) for name, value in arrays.items()}
    shape = arrays["q"].shape
    for name in ("k", "v"):
        if arrays[name].shape != shape:
            raise InputError(
                f"{name} must have the shape of q, {list(shape)}, not {list(arrays[name].shape)}"
            )
    heads, tokens, head_dim = shape
    if window is None:
        window = code.steps
    check_range("window", window, 1, code.steps)
    allowed = None if mask is None else expand_mask(mask, heads, tokens)
    if bias is not None:
        bias = check_array("bias", bias, (2, 3)).reshape((-1, *np.shape(bias)[-2:]))
        if bias.shape != (heads, tokens, tokens):
            raise InputError(f"bias must have the shape {[heads, tokens, tokens]}, not {list(bias.shape)}")

    scales = {
        name: calibrate(arrays[name]) if given is None else check_scale(f"scale_{name}", given, heads)
        for name, given in (("q", scale_q), ("k", scale_k), ("v", scale_v))
    }
    if scale_o is None:
        exact, _ = softmax_attention(arrays["q"], arrays["k"], arrays["v"], bias, allowed)
        scales["o"] = np.maximum(calibrate(exact), MIN_CALIBRATED_RATIO * scales["v"])
        scales["o"] = np.minimum(scales["o"], scales["v"])
    else:
        scales["o"] = check_scale("scale_o", scale_o, heads)

    units = [score_unit(scales["q"][h], scales["k"][h], head_dim, code) for h in range(heads)]
    spikes = {name: encode(arrays[name], scales[name][:, None, None], code) for name in ("q", "k", "v")}
    return AttentionJob(
        code=code,
        window=window,
        q=spikes["q"],
        k=spikes["k"],
        v=spikes["v"],
        bias=None if bias is None else np.stack([bias_units(b, u) for b, u in zip(bias, units, strict=True)]),
        allowed=allowed,
        ramp_step=np.array([ramp_step(u, code) for u in units], dtype=np.int64),
        ratio=np.stack([output_ratio(o, v, code) for o, v in zip(scales["o"], scales["v"], strict=True)]),
        scale_q=scales["q"],
        scale_k=scales["k"],
        scale_v=scales["v"],
        scale_o=scales["o"],
    )


def compute(job: AttentionJob) -> AttentionSpikes:
    """Attention in integers: products, WOSS, context, output codes (the golden engine)."""
    score = trace_product(job.q, transpose(job.k), job.code)
    if job.bias is not None:
        score = score + job.bias
    winner, attention = spike_shift(score, job.ramp_step, job.code, job.window, job.allowed)
    context = trace_product(attention, job.v, job.code, phases=job.window)
    normaliser = np.append(job.code.trace[: job.code.steps], 0).take(attention.phase).sum(axis=-1)
    return AttentionSpikes(
        score=score,
        winner=winner,
        attn_phase=np.where(attention.sign != 0, attention.phase, -1).astype(np.int8),
        normaliser=normaliser,
        context=context,
        out=fire_output(context, normaliser, job.ratio, job.code),
    )


def decode_outputs(
    job: AttentionJob, spikes: AttentionSpikes
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Real outputs of a job.

    Returns:
        (out, out_raw), float32 [heads, tokens, head_dim]: decoded output codes, and
        scale_v * context / normaliser.
    """
    out = decode(spikes.out, job.scale_o[:, None, None], job.code)
    raw = job.scale_v[:, None, None] * spikes.context / spikes.normaliser[..., None]
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
            f"not {bias.flat[np.abs(units).argmax()]:g} (use mask to exclude a key)"
        )
    return units.astype(np.int64)


def check_array(name: str, value: object, dimensions: tuple[int, ...]) -> NDArray[np.float64]:
    """`value` as float64, or InputError for a wrong type, rank, size or a value that is not finite."""
    array = np.asarray(value)
    if array.dtype.kind not in "fiu":
        raise InputError(f"{name} must be an array of real numbers, not of {array.dtype}")
    if array.ndim not in dimensions:
        ranks = " or ".join(str(n) for n in dimensions)
        raise InputError(f"{name} must have {ranks} dimensions, not {array.ndim} (shape {list(array.shape)})")
    if array.size == 0:
        raise InputError(f"{name} must not be empty, its shape is {list(array.shape)}")
    array = array.astype(np.float64)
    finite = np.isfinite(array)
    if not finite.all():
        where = tuple(int(i) for i in np.argwhere(~finite)[0])
        raise InputError(f"{name} must be finite, not {array[where]} at {list(where)}")
    return array


def check_scale(name: str, value: object, heads: int) -> NDArray[np.float64]:
    """`value` as float64 [heads], or InputError."""
    scale = check_array(name, value, (0, 1))
    if scale.shape not in ((), (1,), (heads,)):
        raise InputError(f"{name} must have the shape [{heads}], not {list(scale.shape)}")
    if not (scale > 0).all():
        raise InputError(f"{name} must be positive, not {scale.min():g}")
    return np.broadcast_to(scale, (heads,)).copy()


def expand_mask(mask: object, heads: int, tokens: int) -> NDArray[np.bool_]:
    """`mask` as bool [heads, tokens, tokens], or InputError for a wrong type, shape or an empty row."""
    allowed = np.asarray(mask)
    if allowed.dtype != np.bool_:
        raise InputError(f"mask must be an array of bool, not of {allowed.dtype}")
    if allowed.shape not in ((tokens,), (tokens, tokens), (heads, tokens, tokens)):
        raise InputError(
            f"mask must have the shape [{tokens}] or [{heads}, {tokens}, {tokens}], not {list(allowed.shape)}"
        )
    allowed = np.broadcast_to(allowed, (heads, tokens, tokens))
    empty = np.argwhere(~allowed.any(axis=-1))
    if len(empty):
        raise InputError(
            f"mask must allow at least one key in each row, none in head {empty[0][0]}, row {empty[0][1]}"
        )
    return allowed
