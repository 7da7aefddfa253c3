"""Transformer block with norms before or after its two halves: BERT, ViT, torch.nn.TransformerEncoder."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from models.floating.engine import Engine, Floats, Linear
from models.floating.functions import ACTIVATIONS, Norm
from models.floating.model import Readers
from models.floating.past import Past


@dataclass(frozen=True, kw_only=True)
class Block:
    """Weights of one block.

    Attributes:
        heads: attention heads.
        norm_first: norms stand before attention and MLP (ViT) instead of after the sums (BERT).
        activation: key of `models.floating.functions.ACTIVATIONS`.
        query, key, value, projection, mlp1, mlp2: dense layers.
        norm1, norm2: norms.
        gain1, gain2: [dim] factors on the two branches (layer scale), or None.
        query_norm, key_norm: norms of the features of each head, or None.
    """

    heads: int
    norm_first: bool
    activation: str
    query: Linear
    key: Linear
    value: Linear
    projection: Linear
    mlp1: Linear
    mlp2: Linear
    norm1: Norm
    norm2: Norm
    gain1: Floats | None = None
    gain2: Floats | None = None
    query_norm: Norm | None = None
    key_norm: Norm | None = None


def split_heads(x: Floats, heads: int) -> Floats:
    """[batch, tokens, dim] to [batch, heads, tokens, dim/heads]."""
    return x.reshape(*x.shape[:2], heads, -1).swapaxes(1, 2)


def join_heads(x: Floats) -> Floats:
    """[batch, heads, tokens, d] to [batch, tokens, heads*d]."""
    return x.swapaxes(1, 2).reshape(x.shape[0], x.shape[2], -1)


def self_attention(
    name: str,
    x: Floats,
    block: Block,
    engine: Engine,
    bias: Floats | None = None,
    allowed: NDArray[np.bool_] | None = None,
    past: Past | None = None,
) -> Floats:
    """Attention of x [batch, tokens, dim] with its four dense layers."""
    q, k, v = (
        split_heads(engine.linear(f"{name}.{part}", x, layer), block.heads)
        for part, layer in (("query", block.query), ("key", block.key), ("value", block.value))
    )
    if block.query_norm is not None and block.key_norm is not None:
        q = engine.norm(f"{name}.query_norm", q, block.query_norm)
        k = engine.norm(f"{name}.key_norm", k, block.key_norm)
    if past is not None:
        k, v = past.extend(name, k, v)
    context = join_heads(engine.attention(f"{name}.attention", q, k, v, bias, allowed))
    return engine.linear(f"{name}.projection", context, block.projection)


def run_mlp(name: str, x: Floats, block: Block, engine: Engine) -> Floats:
    hidden = engine.activate(engine.linear(f"{name}.mlp1", x, block.mlp1), ACTIVATIONS[block.activation])
    return engine.linear(f"{name}.mlp2", hidden, block.mlp2)


def run_block(
    name: str,
    x: Floats,
    block: Block,
    engine: Engine,
    bias: Floats | None = None,
    allowed: NDArray[np.bool_] | None = None,
    past: Past | None = None,
) -> Floats:
    """One block on x [batch, tokens, dim], behind the tokens of `past`, if any."""
    gain1 = np.float32(1) if block.gain1 is None else block.gain1
    gain2 = np.float32(1) if block.gain2 is None else block.gain2
    if block.norm_first:
        normal = engine.norm(f"{name}.norm1", x, block.norm1)
        x = x + gain1 * self_attention(name, normal, block, engine, bias, allowed, past)
        normal = engine.norm(f"{name}.norm2", x, block.norm2)
        return x + gain2 * run_mlp(name, normal, block, engine)
    x = x + gain1 * self_attention(name, x, block, engine, bias, allowed, past)
    x = engine.norm(f"{name}.norm1", x, block.norm1)
    return engine.norm(f"{name}.norm2", x + gain2 * run_mlp(name, x, block, engine), block.norm2)


def block_readers(name: str, block: Block, before: tuple[str, Norm] | None) -> Readers:
    """Norms that the dense layers of a block read.

    Args:
        name: of the block.
        block: its weights.
        before: the norm whose output enters a block with norms after its sums, if it is one.
    """
    first = (f"{name}.norm1", block.norm1)
    entering = first if block.norm_first else before
    reads: Readers = {f"{name}.mlp1": (f"{name}.norm2", block.norm2) if block.norm_first else first}
    if entering is not None:
        reads |= {f"{name}.{part}": entering for part in ("query", "key", "value")}
    return reads


def encoder_readers(blocks: list[Block], before: tuple[str, Norm] | None = None) -> Readers:
    """Those of the blocks of an encoder, called block0, block1, ..., behind the norm `before`."""
    reads: Readers = {}
    for index, block in enumerate(blocks):
        reads |= block_readers(f"block{index}", block, before)
        before = (f"block{index}.norm2", block.norm2)
    return reads
