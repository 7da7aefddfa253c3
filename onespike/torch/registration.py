"""`attn_implementation="onespike"` for transformers."""

from importlib.util import find_spec
from typing import Any

import torch
from torch import Tensor

from golden.errors import InputError
from onespike.torch.interface import default_run
from onespike.torch.patches import current, spiking

NAME = "onespike"


def register() -> None:
    """Make the implementation known where transformers is installed."""
    if find_spec("transformers") is None:
        return
    from transformers import AttentionInterface, AttentionMaskInterface
    from transformers.masking_utils import sdpa_mask

    AttentionInterface.register(NAME, attention_forward)
    AttentionMaskInterface.register(NAME, sdpa_mask)


def attention_forward(
    module: torch.nn.Module,
    query: Tensor,
    key: Tensor,
    value: Tensor,
    attention_mask: Tensor | None,
    dropout: float = 0.0,
    scaling: float | None = None,
    is_causal: bool | None = None,
    position_bias: Tensor | None = None,
    **options: Any,
) -> tuple[Tensor, Tensor | None]:
    """Attention in spikes as models of transformers call it.

    Args:
        query, key, value: [batch, heads, tokens, features]; key and value may have fewer heads.
        attention_mask: bool or added to the logits, broadcastable to [batch, heads, queries, keys].
        dropout: must be 0.
        scaling: of the logits, 1/sqrt(features) when absent.
        is_causal: whether rows attend no later keys, where no mask says it; the module's own when absent.
        position_bias: added to the logits.
        options: others; `output_attentions` asks for the weights.

    Returns:
        (output [batch, queries, heads, values], weights [batch, heads, queries, keys] or None).

    Raises:
        InputError: see `scaled_dot_product_attention`; or an option that changes softmax.
    """
    for name in ("softcap", "s_aux"):
        if options.get(name) is not None:
            raise InputError(f"{name} must be absent in attention in spikes: it changes what softmax is of")
    run = current() or default_run()
    queries, keys = query.shape[-2], key.shape[-2]
    causal = getattr(module, "is_causal", True) if is_causal is None else is_causal
    # As transformers asks torch: a single query attends all, and a mask already holds what is causal
    causal = bool(causal) and queries > 1 and attention_mask is None
    if causal and keys > queries:  # a cache of fixed size, of which no row attends the rest
        key, value = key[:, :, :queries], value[:, :, :queries]
        position_bias = None if position_bias is None else position_bias[..., :queries]
    if position_bias is not None:
        attention_mask, causal = _with_bias(position_bias, attention_mask, causal), False
    grouped = key.shape[1] != query.shape[1]
    arguments = (query, key, value, attention_mask, dropout, causal, scaling, grouped)
    if not options.get("output_attentions"):
        return spiking(run, *arguments).transpose(1, 2).contiguous(), None
    with run.keeping_weights() as kept:
        out = spiking(run, *arguments)
    return out.transpose(1, 2).contiguous(), kept[0]


def _with_bias(bias: Tensor, mask: Tensor | None, causal: bool) -> Tensor:
    """The mask that adds a bias where it allows a key."""
    if causal:
        mask = torch.ones(bias.shape[-2:], dtype=torch.bool, device=bias.device).tril()
    if mask is None:
        return bias
    return bias.masked_fill(~mask, -torch.inf) if mask.dtype == torch.bool else bias + mask
