"""Vision transformers of timm, DeiT with its distillation token among them."""

import numpy as np

from models.files.tensors import Tensors
from models.floating.encoder import Block
from models.floating.vit import Vit
from models.layouts.options import Choices
from models.layouts.parts import (
    activation_of,
    any_ends,
    channels_of,
    dense,
    epsilon_of,
    heads_of,
    norm,
    patch_embedding,
    placed,
    pooling_of,
    thirds,
)
from models.layouts.timm import read_timm

ABOUT = "timm vision transformer"
MARK = "blocks.0.attn.qkv.weight"
# Those whose class has the usual values below
NAMES = r"(vit|deit|deit3)_(?P<size>tiny|small|base|large|huge)(_distilled)?_patch(?P<patch>\d+)_\d+"
# Features, blocks and heads by size
SIZES = {
    "tiny": (192, 12, 3),
    "small": (384, 12, 6),
    "base": (768, 12, 12),
    "large": (1024, 24, 16),
    "huge": (1280, 32, 16),
}
# Tokens before the patches, in their order
FIRST = ("cls_token", "dist_token", "reg_token")


def recognise(tensors: Tensors) -> bool:
    return MARK in tensors


def read(tensors: Tensors, choices: Choices) -> Vit:
    entry = tensors.has("norm_pre")
    # timm's patch embedding has no bias where a norm follows it
    patch, embedding = patch_embedding(tensors, "patch_embed.proj", bias=not entry)
    dim = len(embedding.weight)
    head = dense(tensors, "head", None, dim) if tensors.has("head") else None
    teacher = dense(tensors, "head_dist", len(head.weight), dim) if "dist_token" in tensors and head else None
    said = read_timm(tensors, choices, NAMES, dim, head)
    known = said.name is not None
    usual_dim, usual_depth, usual_heads = SIZES[said.name["size"]] if said.name else (None, None, None)
    heads_said = said.arguments.take("num_heads", "count", usual_heads)
    heads = heads_of(choices, heads_said, dim)
    epsilon = epsilon_of(choices, None, 1e-6 if known else None)
    activation = activation_of(choices, said.activation, "gelu" if known else None)
    pooled_norm = tensors.has("fc_norm")
    pooling = pooling_of(choices, said.pooling or ("mean" if pooled_norm else None), "cls" if known else None)
    names = [n for n in FIRST if n in tensors or (n, pooling) == ("cls_token", "cls")]
    tokens = [tensors.take(name, 1, None, dim)[0] for name in names]
    first = np.concatenate(tokens) if tokens else np.zeros((0, dim), np.float32)
    if teacher is not None and pooling != "cls":
        tensors.refuse("pooling", f"pooling must be cls in a distilled model, not {pooling}")
    if "dist_token" in tensors and head is None:
        tensors.refuse("dist_token", "a distilled model must have its two heads, it has none")

    biased = any_ends(tensors, ".attn.qkv.bias")
    scaled = any_ends(tensors, ".ls1.gamma") or any_ends(tensors, ".ls2.gamma")

    def block(index: int) -> Block:
        name = f"blocks.{index}"
        query, key, value = thirds(dense(tensors, f"{name}.attn.qkv", 3 * dim, dim, biased))
        hidden = dense(tensors, f"{name}.mlp.fc1", None, dim)
        said.arguments.agree(mlp_ratio=len(hidden.weight) / max(dim, 1))
        normed = tensors.has(f"{name}.attn.q_norm") or tensors.has(f"{name}.attn.k_norm")
        query_norm, key_norm = (
            norm(tensors, f"{name}.attn.{part}_norm", dim // heads, epsilon) if normed else None
            for part in "qk"
        )
        return Block(
            heads=heads,
            norm_first=True,
            activation=activation,
            query=query,
            key=key,
            value=value,
            projection=dense(tensors, f"{name}.attn.proj", dim, dim),
            mlp1=hidden,
            mlp2=dense(tensors, f"{name}.mlp.fc2", dim, len(hidden.weight)),
            norm1=norm(tensors, f"{name}.norm1", dim, epsilon),
            norm2=norm(tensors, f"{name}.norm2", dim, epsilon),
            gain1=tensors.take(f"{name}.ls1.gamma", dim) if scaled else None,
            gain2=tensors.take(f"{name}.ls2.gamma", dim) if scaled else None,
            query_norm=query_norm,
            key_norm=key_norm,
        )

    depth = tensors.count("blocks.{}.")
    blocks = [block(index) for index in range(depth)]
    # Where the class token has no position, no token before the patches has one
    bare = said.arguments.take("no_embed_class", "flag", bool(said.name and said.name[0].startswith("deit3")))
    registers = tensors.arrays["reg_token"].shape[1] if "reg_token" in tensors else 0
    said.arguments.agree(
        fc_norm=pooled_norm,
        in_chans=channels_of(embedding, patch),
        class_token="cls_token" in tensors,
        reg_tokens=registers,
        pre_norm=entry,
        qk_norm=any(block.query_norm is not None for block in blocks),
    )
    usual_patch = int(said.name["patch"]) if said.name else None
    said.agree(embed_dim=(usual_dim, dim), depth=(usual_depth, depth), patch_size=(usual_patch, patch))
    return Vit(
        patch=patch,
        stride=patch,
        embedding=embedding,
        first=first,
        positions=placed(tensors, "pos_embed", first, 0 if bare else len(first)),
        entry_norm=norm(tensors, "norm_pre", dim, epsilon) if entry else None,
        blocks=blocks,
        norm=norm(tensors, "fc_norm" if pooled_norm else "norm", dim, epsilon),
        head=head,
        teacher_head=teacher,
        pooling=pooling,
        pool_first=teacher is None and (pooled_norm or pooling == "cls"),
    )
