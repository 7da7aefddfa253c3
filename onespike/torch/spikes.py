"""The integers of `golden.attention` in tensors: the same names, the same values, all heads at once.

Source: SpikedAttention (NeurIPS 2024), section 3. Whatever golden rounds is taken from golden (thresholds
of the encoder, trace table, ramp step, output ratio); what is computed here is exact.
"""

from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.nn.functional import embedding_bag

from golden import code as golden_code
from golden.attention.normaliser import RATIO_FRACTION_BITS
from golden.code import DROPPED_BITS, PhaseCode, threshold_buckets

# Whole numbers up to this are exact in float32
EXACT_FLOAT32 = 1 << 24


@dataclass(frozen=True)
class Spikes:
    """A tensor of one-spike codes; see `golden.code.Spikes`.

    Attributes:
        sign: int8, -1, 0 or 1; 0 is a silent neuron.
        phase: int8, same shape, 0..T-1; T where silent.
    """

    sign: Tensor
    phase: Tensor

    def __getitem__(self, index: Any) -> "Spikes":
        return Spikes(self.sign[index], self.phase[index])


@dataclass(frozen=True, kw_only=True)
class AttentionJob:
    """Integers that describe the attention of several heads; see `golden.attention.job.AttentionJob`.

    Beyond golden's, queries may be fewer or more than keys, values may have features of their own number,
    and a row may have no key: it fires nothing.

    Attributes:
        code: the code.
        window: Ts, steps of the WOSS ramp, 1..T.
        q, k, v: spikes [heads, queries, features], [heads, keys, features] and [heads, keys, values].
        bias: int64 [heads, queries, keys] in score units, 0 at masked keys, or None.
        allowed: bool [heads, queries, keys], True = may be attended, or None for all.
        ramp_step: int64 [heads].
        ratio: int64 [heads, b].
    """

    code: PhaseCode
    window: int
    q: Spikes
    k: Spikes
    v: Spikes
    bias: Tensor | None
    allowed: Tensor | None
    ramp_step: Tensor
    ratio: Tensor


@dataclass(frozen=True, kw_only=True)
class AttentionSpikes:
    """Integers that come of a job; see `golden.attention.job.AttentionSpikes`.

    Attributes:
        score: P, int64 [heads, queries, keys], bias included; undefined at masked keys.
        winner: W, int64 [heads, queries]; undefined in a row without any key.
        attention: spikes [heads, queries, keys], of sign 0 or 1.
        normaliser: S, int64 [heads, queries]; 0 in a row without any key.
        context: U, int64 [heads, queries, values].
        out: output spikes [heads, queries, values].
    """

    score: Tensor
    winner: Tensor
    attention: Spikes
    normaliser: Tensor
    context: Tensor
    out: Spikes


def compute(job: AttentionJob) -> AttentionSpikes:
    """Attention in integers: products, WOSS, context, output codes."""
    k = Spikes(job.k.sign.transpose(-1, -2), job.k.phase.transpose(-1, -2))
    score = trace_product(job.q, k, job.code)
    if job.bias is not None:
        score += job.bias
    winner, attention = spike_shift(
        score, job.ramp_step, job.code, job.window, job.allowed, small=job.bias is None
    )
    # A column of ones, the normaliser, goes with the features, as in the hardware
    v = Spikes(
        torch.nn.functional.pad(job.v.sign, (0, 1), value=1),
        torch.nn.functional.pad(job.v.phase, (0, 1), value=0),
    )
    sums = trace_product(attention, v, job.code, phases=job.window)
    context, normaliser = sums[..., :-1], sums[..., -1]
    return AttentionSpikes(
        score=score,
        winner=winner,
        attention=attention,
        normaliser=normaliser,
        context=context,
        out=fire_output(context, normaliser, job.ratio, job.code),
    )


def encode(values: Tensor, scale: Tensor, code: PhaseCode) -> Spikes:
    """Encode real values; see `golden.code.encode`.

    Args:
        values: real, any shape, finite.
        scale: float64, positive, broadcastable to `values`.
        code: the code.
    """
    rising, lowest, below = _thresholds(code, values.device)
    ratio = values / scale
    magnitude = ratio.abs()
    bucket = magnitude.view(torch.int64) >> DROPPED_BITS
    bucket = bucket.clamp_(lowest, lowest + len(below) - 1).sub_(lowest)
    reached = _look_up(below, bucket)
    reached += (magnitude >= _look_up(rising, reached.int())).view(torch.int8)
    return Spikes(ratio.sign().to(torch.int8).mul_(reached.sign()), code.steps - reached)


def trace_product(left: Spikes, right: Spikes, code: PhaseCode, phases: int | None = None) -> Tensor:
    """P[n, i, j] = sum_l sgn(left[i,l]) * sgn(right[l,j]) * G[ph(left[i,l]) + ph(right[l,j])].

    Args:
        left: [n, I, L].
        right: [n, L, J].
        code: the code.
        phases: number of phases that `left` can hold, T when absent.

    Returns:
        int64 [n, I, J], exact.
    """
    # Each spike of `left` picks, by its phase, a row of J table entries, and each sum is over L rows.
    # All terms and partial sums are integers of magnitude at most L * 2**F, exact in these floats in any
    # order of summation.
    phases = code.steps if phases is None else phases
    heads, rows, length = left.sign.shape
    columns = right.sign.shape[-1]
    exact = torch.float32 if length << code.trace_bits <= EXACT_FLOAT32 else torch.float64
    entries = _entries(code, phases, exact, left.sign.device)
    spike = right.phase.int().mul_(3).add_(right.sign.int()).add_(1)
    table = entries.index_select(1, spike.reshape(-1)).view(-1, columns)
    place = torch.arange(heads * length, dtype=torch.int32, device=left.sign.device).view(heads, 1, length)
    row = left.phase.clamp(max=phases - 1).int().mul_(heads * length).add_(place)
    product = embedding_bag(
        row.view(-1, length),
        table,
        mode="sum",
        per_sample_weights=left.sign.to(exact).view(-1, length),
    )
    return product.view(heads, rows, columns).long()


def spike_shift(
    score: Tensor, step: Tensor, code: PhaseCode, window: int, allowed: Tensor | None, *, small: bool
) -> tuple[Tensor, Spikes]:
    """Winner and attention spikes; see `golden.attention.woss.spike_shift`.

    Args:
        score: int64 [n, I, J].
        step: int64 [n], ramp step per head.
        code: the code.
        window: Ts, 1..T, steps of the ramp.
        allowed: bool [n, I, J]; a key that is not allowed takes no part.
        small: all scores are products alone, without a bias.

    Returns:
        (winner int64 [n, I], spikes [n, I, J] of sign 0 or 1).
    """
    winner = (score if allowed is None else score.masked_fill(~allowed, -(1 << 62))).amax(dim=-1)
    late = torch.sub(
        ((winner << code.ramp_bits) - (step // 2)[:, None])[..., None], score, alpha=1 << code.ramp_bits
    )
    step = step[:, None, None]
    # First t is ceil(late / STEP). Distances of products times 2**D stay below 2**46: there a quotient in
    # float64 that is no integer is at least 2**-46 away from one, and never rounded to it
    if small:
        phase = late.double().div_(step.clamp(min=1)).ceil_()
    else:
        phase = torch.div(-late, step.clamp(min=1), rounding_mode="floor").neg_()
    if not step.all():  # a step of zero lets only the winners fire
        phase.masked_fill_((step == 0) & (late > 0), window)
    if allowed is not None:
        phase.masked_fill_(~allowed, window)
    phase = phase.clamp_(0, window).to(torch.int8)
    fires = (window - phase).sign()
    return winner, Spikes(fires, phase + (1 - fires) * (code.steps - window))


def fire_output(context: Tensor, normaliser: Tensor, ratio: Tensor, code: PhaseCode) -> Spikes:
    """Output codes; see `golden.attention.normaliser.fire_output`.

    Args:
        context: U, int64 [n, I, J].
        normaliser: S, int64 [n, I].
        ratio: RATIO, int64 [n, b].
        code: the code.
    """
    magnitude = context.abs()
    phase = torch.zeros(context.shape, dtype=torch.int8, device=context.device)
    threshold = torch.full_like(normaliser, torch.iinfo(torch.int64).max)
    # A row without any key has no normaliser; with any positive one its outputs are silent
    product = -normaliser.clamp(min=1) * ratio.t()[..., None]
    for p in range(code.steps):
        octaves, residue = code.octave(p)
        # A shift by 63 bits or more leaves the sign
        scaled = -(product[residue] >> min(RATIO_FRACTION_BITS + octaves, 63))
        threshold = torch.minimum(threshold, scaled)
        phase += (magnitude < threshold[..., None]).view(torch.int8)
    return Spikes(context.sign().to(torch.int8).mul_((code.steps - phase).sign()), phase)


def decode(spikes: Spikes, scale: Tensor, code: PhaseCode) -> Tensor:
    """Real values of `spikes`, float64, zero where silent; see `golden.code.decode`."""
    return scale * spikes.sign * _look_up(_values(code, spikes.sign.device), spikes.phase.int())


def weights(spikes: AttentionSpikes, code: PhaseCode) -> Tensor:
    """What stands in the place of softmax: G[t] / S, float64 [heads, queries, keys], 0 where silent."""
    trace = torch.tensor([*code.trace[: code.steps], 0], dtype=torch.float64, device=spikes.score.device)
    return _look_up(trace, spikes.attention.phase.int()) / spikes.normaliser.clamp(min=1)[..., None]


def _look_up(table: Tensor, index: Tensor) -> Tensor:
    """Entries of a table [n] at an index of any shape; quicker than to index."""
    return table.index_select(0, index.reshape(-1)).view(index.shape)


@lru_cache(maxsize=64)
def _thresholds(code: PhaseCode, device: torch.device) -> tuple[Tensor, int, Tensor]:
    """`golden.code.threshold_buckets` on a device."""
    rising, lowest, below = threshold_buckets(code)
    return torch.tensor(rising, device=device), lowest, torch.tensor(below, device=device)


@lru_cache(maxsize=64)
def _values(code: PhaseCode, device: torch.device) -> Tensor:
    """What a spike of each phase 0..T stands for at scale 1, float64 [T+1]."""
    phase = np.arange(code.steps + 1).astype(np.int8)
    return torch.tensor(
        golden_code.decode(golden_code.Spikes(np.ones_like(phase), phase), 1, code), device=device
    )


@lru_cache(maxsize=64)
def _entries(code: PhaseCode, phases: int, dtype: torch.dtype, device: torch.device) -> Tensor:
    """What a spike of the right operand adds, by phase of the left one: [phases, 3*(T+1)]."""
    phase = torch.arange(code.steps + 1).repeat_interleave(3)
    sign = torch.tensor([-1, 0, 1]).repeat(code.steps + 1)
    both = (phase + torch.arange(phases)[:, None]).clamp(max=len(code.trace) - 1)
    return (sign * torch.tensor(code.trace)[both]).to(device=device, dtype=dtype)
