"""Floats of a call become a job of integers: the tensor side of `golden.attention.job.prepare`."""

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from golden.attention.job import MAX_BIAS_UNITS, HeadScales, score_unit
from golden.attention.normaliser import output_ratio
from golden.attention.woss import ramp_step
from golden.code import PhaseCode
from golden.errors import InputError
from golden.inputs import MASKING_BIAS
from onespike.torch.inputs import Call, check_magnitude
from onespike.torch.spikes import AttentionJob, encode

# Entries of the larger table of a trace product that are looked up at a time: about a second-level cache
BLOCK_ENTRIES = 1 << 20

exact_attention = torch.nn.functional.scaled_dot_product_attention


class Heads(NamedTuple):
    """Some heads of a call, float64 [heads, tokens, features]; keys that no row attends are zero."""

    q: Tensor
    k: Tensor
    v: Tensor
    bias: Tensor | None
    allowed: Tensor | None
    scale: float | None

    def exact(self) -> Tensor:
        """Exact softmax attention, float64 [heads, queries, values]; 0 in a row without any key."""
        mask = self.allowed
        if self.bias is not None:
            mask = self.bias if mask is None else self.bias.masked_fill(~mask, -torch.inf)
        out = exact_attention(self.q, self.k, self.v, attn_mask=mask, scale=self.scale)
        return out if self.allowed is None else out.masked_fill(~self.allowed.any(-1)[..., None], 0)


def blocks(call: Call, steps: int) -> Iterator[slice]:
    """Heads of all samples, some at a time."""
    features = max(call.q.shape[-1], call.v.shape[-1])
    at_once = max(1, BLOCK_ENTRIES // (call.k.shape[-2] * features * steps))
    heads = call.q.shape[0] * call.q.shape[1]
    return (slice(start, min(start + at_once, heads)) for start in range(0, heads, at_once))


def heads_of(call: Call, block: slice) -> Heads:
    """A block of the heads of all samples.

    Raises:
        InputError: a number that is not finite, or that float32 does not hold.
    """
    number = torch.arange(block.start, block.stop, device=call.q.device)
    sample, head = number // call.q.shape[1], number % call.q.shape[1]
    q, k, v = (x[sample, head].double() for x in (call.q, call.k, call.v))
    bias, allowed = (None if x is None else x[sample, head] for x in (call.bias, call.allowed))
    if allowed is not None:
        unattended = ~allowed.any(dim=-2)[..., None]
        k, v = (x.masked_fill(unattended, 0) for x in (k, v))
        if bias is not None:
            bias = bias.masked_fill(~allowed, 0)
    for name, tensor in (("query", q), ("key", k), ("value", v)):
        check_magnitude(name, tensor.abs())
    return Heads(q, k, v, bias, allowed, call.scale)


def prepare(heads: Heads, scales: HeadScales, code: PhaseCode, window: int) -> AttentionJob:
    """The job of integers of some heads.

    Args:
        scales: of these heads.
        window: Ts, 1..T.

    Raises:
        InputError: a bias or a ratio of scales beyond its range.
    """
    device, features = heads.q.device, heads.q.shape[-1]
    if heads.scale is None:
        units = [score_unit(q, k, features, code) for q, k in zip(scales.q, scales.k, strict=True)]
    else:
        units = [score_unit(q, k, 1, code) * heads.scale for q, k in zip(scales.q, scales.k, strict=True)]
    ratio = [output_ratio(o, v, code) for o, v in zip(scales.o, scales.v, strict=True)]
    return AttentionJob(
        code=code,
        window=window,
        q=encode(heads.q, on_heads(scales.q, device), code),
        k=encode(heads.k, on_heads(scales.k, device), code),
        v=encode(heads.v, on_heads(scales.v, device), code),
        bias=None if heads.bias is None else _bias_units(heads.bias, on_heads(np.array(units), device)),
        allowed=heads.allowed,
        ramp_step=torch.tensor([ramp_step(unit, code) for unit in units], device=device),
        ratio=torch.tensor(np.stack(ratio), device=device),
    )


def on_heads(scale: np.ndarray, device: torch.device) -> Tensor:
    """float64 [heads] as a tensor [heads, 1, 1]."""
    return torch.tensor(scale, dtype=torch.float64, device=device)[:, None, None]


def _bias_units(bias: Tensor, unit: Tensor) -> Tensor:
    """Additive logits in score units, int64; see `golden.attention.job.bias_units`."""
    units = torch.floor(bias / unit + 0.5)
    worst = units.abs().argmax()
    if units.flatten()[worst].abs() >= MAX_BIAS_UNITS:
        limit = MAX_BIAS_UNITS * unit.expand_as(bias).flatten()[worst]
        raise InputError(
            f"attn_mask must stay below {limit:g} in magnitude at these scales, "
            f"not {bias.flatten()[worst]:g} ({MASKING_BIAS:g} or less masks a key)"
        )
    return units.long()
