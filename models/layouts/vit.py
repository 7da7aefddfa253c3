"""Vision transformers of timm."""

from models.files.tensors import Tensors
from models.floating.encoder import Block
from models.floating.vit import Vit
from models.layouts.options import Choices
from models.layouts.parts import (
    activation_of,
    channels_of,
    dense,
    epsilon_of,
    fused,
    heads_of,
    norm,
    patch_embedding,
    pooling_of,
)
from models.layouts.timm import read_timm

ABOUT = "timm vision transformer"
MARK = "blocks.0.attn.qkv.weight"
# Those whose class has the usual values below
NAMES = r"(vit|deit)_(?P<size>tiny|small|base|large|huge)_patch(?P<patch>\d+)_\d+"
# Features, blocks and heads by size
SIZES = {
    "tiny": (192, 12, 3),
    "small": (384, 12, 6),
    "base": (768, 12, 12),
    "large": (1024, 24, 16),
    "huge": (1280, 32, 16),
}


def recognise(tensors: Tensors) -> bool:
    return MARK in tensors


def read(tensors: Tensors, choices: Choices) -> Vit:
    patch, embedding = patch_embedding(tensors, "patch_embed.proj")
    dim = len(embedding.weight)
    head = dense(tensors, "head", None, dim) if tensors.has("head") else None
    said = read_timm(tensors, choices, NAMES, dim, head)
    known = said.name is not None
    usual_dim, usual_depth, usual_heads = SIZES[said.name["size"]] if said.name else (None, None, None)
    heads_said = said.arguments.take("num_heads", "count", usual_heads)
    heads = heads_of(choices, heads_said, dim)
    epsilon = epsilon_of(choices, None, 1e-6 if known else None)
    activation = activation_of(choices, said.activation, "gelu" if known else None)
    pooled_norm = tensors.has("fc_norm")
    pooling = pooling_of(choices, said.pooling or ("mean" if pooled_norm else None), "cls" if known else None)

    def block(index: int) -> Block:
        name = f"blocks.{index}"
        query, key, value = fused(tensors, f"{name}.attn.qkv.weight", f"{name}.attn.qkv.bias", dim)
        hidden = dense(tensors, f"{name}.mlp.fc1", None, dim)
        said.arguments.agree(mlp_ratio=len(hidden.weight) / max(dim, 1))
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
            gain1=tensors.maybe(f"{name}.ls1.gamma", dim),
            gain2=tensors.maybe(f"{name}.ls2.gamma", dim),
        )

    depth = tensors.count("blocks.{}.")
    said.arguments.agree(fc_norm=pooled_norm, in_chans=channels_of(embedding, patch))
    usual_patch = int(said.name["patch"]) if said.name else None
    said.agree(embed_dim=(usual_dim, dim), depth=(usual_depth, depth), patch_size=(usual_patch, patch))
    return Vit(
        patch=patch,
        stride=patch,
        embedding=embedding,
        first=tensors.take("cls_token", 1, 1, dim)[0],
        positions=tensors.take("pos_embed", 1, None, dim)[0],
        blocks=[block(index) for index in range(depth)],
        norm=norm(tensors, "fc_norm" if pooled_norm else "norm", dim, epsilon),
        head=head,
        pooling=pooling,
        pool_first=pooled_norm or pooling == "cls",
    )
