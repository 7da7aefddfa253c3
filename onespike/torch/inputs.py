"""What a call of attention was given, checked: each refusal is one sentence."""

import math
from dataclasses import dataclass

import torch
from torch import Tensor

from golden.errors import InputError, quoted
from golden.inputs import MASKING_BIAS, MAX_MAGNITUDE


@dataclass(frozen=True, kw_only=True)
class Call:
    """One call of attention, every head by itself.

    Masks are views, expanded without a copy.

    Attributes:
        q, k, v: [batch, heads, queries, features], [batch, heads, keys, features] and [.., keys, values].
        bias: float64 [batch, heads, queries, keys], 0 where not allowed, or None.
        allowed: bool, likewise, or None for all.
        scale: of the logits, None for 1/sqrt(features).
        shape: of the output: that of the query, with the features of the values.
    """

    q: Tensor
    k: Tensor
    v: Tensor
    bias: Tensor | None
    allowed: Tensor | None
    scale: float | None
    shape: tuple[int, ...]


def read_call(
    query: Tensor,
    key: Tensor,
    value: Tensor,
    attn_mask: Tensor | None = None,
    dropout_p: float = 0.0,
    is_causal: bool = False,
    scale: float | None = None,
    enable_gqa: bool = False,
) -> Call:
    """The arguments of torch's `scaled_dot_product_attention` as a `Call`.

    Raises:
        InputError: dropout, shapes that do not fit each other, a mask or scale that cannot be used.
    """
    if dropout_p:
        raise InputError(
            f"dropout_p must be 0, not {dropout_p:g}: spikes infer and do not train (model.eval())"
        )
    for name, tensor in (("query", query), ("key", key), ("value", value)):
        _check_tensor(name, tensor)
    batches = [x.shape[:-3] for x in (query, key, value)]
    try:
        batch = torch.broadcast_shapes(*batches)
    except RuntimeError:
        sizes = ", ".join(str(list(size)) for size in batches)
        raise InputError(f"batches of query, key and value must fit each other, not be {sizes}") from None
    heads = query.shape[-3] if query.dim() > 2 else 1
    groups = {"key": key, "value": value}
    for name, tensor in groups.items():
        own = tensor.shape[-3] if tensor.dim() > 2 else 1
        if own != heads:
            if not enable_gqa or heads % own:
                rule = f"a divisor of query's {heads}" if enable_gqa else f"{heads}, as query (or enable_gqa)"
                raise InputError(f"heads of {name} must be {rule}, not {own}")
            groups[name] = tensor.repeat_interleave(heads // own, dim=-3)
    key, value = groups["key"], groups["value"]
    if query.shape[-1] != key.shape[-1] or key.shape[-2] != value.shape[-2]:
        raise InputError(
            "query and key must have the same features, key and value the same tokens, not the shapes "
            f"{', '.join(str(list(x.shape)) for x in (query, key, value))}"
        )
    if scale is not None and not (0 < scale < math.inf):
        raise InputError(f"scale must be positive and finite, not {quoted(scale)}")
    size = (math.prod(batch), heads)
    q, k, v = (x.expand(*batch, *x.shape[-3:]).reshape(*size, *x.shape[-2:]) for x in (query, key, value))
    shape = (*batch, *((heads,) if query.dim() > 2 else ()), q.shape[-2], k.shape[-2])
    bias, allowed = _read_mask(attn_mask, is_causal, shape, q.device)
    pairs = (*size, *shape[-2:])
    return Call(
        q=q,
        k=k,
        v=v,
        bias=None if bias is None else bias.expand(shape).reshape(pairs),
        allowed=None if allowed is None else allowed.expand(shape).reshape(pairs),
        scale=None if scale is None or math.isclose(scale, q.shape[-1] ** -0.5, rel_tol=1e-12) else scale,
        shape=(*shape[:-1], v.shape[-1]),
    )


def check_magnitude(name: str, largest: Tensor) -> None:
    """Raise InputError unless the largest magnitudes of a tensor are finite and fit float32."""
    worst = float(largest.max())  # NaN where there is one
    if not worst <= MAX_MAGNITUDE:
        what = f"at most {MAX_MAGNITUDE:g} in magnitude" if math.isfinite(worst) else "finite"
        raise InputError(f"{name} must be {what}, not {worst:g}")


def _check_tensor(name: str, tensor: Tensor) -> None:
    if not isinstance(tensor, Tensor) or not tensor.is_floating_point():
        kind = tensor.dtype if isinstance(tensor, Tensor) else type(tensor).__name__
        raise InputError(f"{name} must be a tensor of floating-point numbers, not {kind}")
    if tensor.is_nested or tensor.layout != torch.strided:
        raise InputError(f"{name} must be a dense tensor, not nested or sparse")
    if tensor.device.type not in ("cpu", "cuda"):
        raise InputError(f"{name} must be on cpu or cuda, which have float64, not on {tensor.device}")
    if tensor.dim() < 2 or not tensor.numel():
        raise InputError(
            f"{name} must be [..., heads, tokens, features] with at least one of each, "
            f"not {list(tensor.shape)}"
        )


def _read_mask(
    mask: Tensor | None, is_causal: bool, shape: tuple[int, ...], device: torch.device
) -> tuple[Tensor | None, Tensor | None]:
    """Bias and allowed keys of a mask, each broadcastable to `shape`; as `golden.inputs.check_terms`."""
    if is_causal:
        if mask is not None:
            raise InputError("attn_mask must be absent where is_causal is true")
        return None, torch.ones(shape[-2:], dtype=torch.bool, device=device).tril()
    if mask is None:
        return None, None
    try:
        fits = torch.broadcast_shapes(mask.shape, shape) == shape
    except RuntimeError:
        fits = False
    if not fits:
        raise InputError(f"attn_mask must fit {list(shape)}, not have the shape {list(mask.shape)}")
    if mask.dtype == torch.bool:
        return None, mask
    if not mask.is_floating_point():
        raise InputError(f"attn_mask must be of bool or floating-point numbers, not {mask.dtype}")
    masked = mask <= MASKING_BIAS
    bias = mask.double().masked_fill(masked, 0)
    check_magnitude("attn_mask", bias.abs())
    allowed = ~masked if masked.any() else None
    return (None if allowed is not None and not bias.any() else bias), allowed
