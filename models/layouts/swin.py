"""Swin transformers of timm, first version."""

from models.files.tensors import Tensors
from models.floating.encoder import Block
from models.floating.swin import Merge, Swin, SwinBlock, SwinStage
from models.layouts.options import Choices
from models.layouts.parts import (
    activation_of,
    any_ends,
    bias_table,
    channels_of,
    dense,
    epsilon_of,
    norm,
    patch_embedding,
    pooling_of,
    thirds,
)
from models.layouts.timm import read_timm

ABOUT = "timm Swin transformer"
MARK = "layers.0.blocks.0.attn.relative_position_bias_table"
# Buffers that the shapes determine
HARMLESS = r"^layers\.\d+\.blocks\.\d+\.(attn\.relative_position_index|attn_mask)$"
NAMES = r"swin_(?P<size>tiny|small|base|large)_patch(?P<patch>4)_window(?P<window>\d+)_\d+"

# Features, blocks and heads of the stages by size
SIZES = {
    "tiny": (96, [2, 2, 6, 2], [3, 6, 12, 24]),
    "small": (96, [2, 2, 18, 2], [3, 6, 12, 24]),
    "base": (128, [2, 2, 18, 2], [4, 8, 16, 32]),
    "large": (192, [2, 2, 18, 2], [6, 12, 24, 48]),
}


def recognise(tensors: Tensors) -> bool:
    return MARK in tensors


def read(tensors: Tensors, choices: Choices) -> Swin:
    patch, embedding = patch_embedding(tensors, "patch_embed.proj")
    first_dim = len(embedding.weight)
    stage_count = tensors.count("layers.{}.")
    last_dim = first_dim << (stage_count - 1)
    head_name = next((name for name in ("head.fc", "head") if tensors.has(name)), None)
    head = dense(tensors, head_name, None, last_dim) if head_name else None
    said = read_timm(tensors, choices, NAMES, last_dim, head)
    epsilon = epsilon_of(choices, None, 1e-5 if said.name else None)
    activation = activation_of(choices, said.activation, "gelu" if said.name else None)
    if pooling_of(choices, said.pooling, "mean") != "mean":
        tensors.refuse("pooling", "a Swin transformer has no class token: pooling must be mean")

    biased = any_ends(tensors, ".attn.qkv.bias")

    def swin_block(name: str, dim: int) -> SwinBlock:
        table, heads = bias_table(tensors, f"{name}.attn.relative_position_bias_table", dim)
        query, key, value = thirds(dense(tensors, f"{name}.attn.qkv", 3 * dim, dim, biased))
        hidden = dense(tensors, f"{name}.mlp.fc1", None, dim)
        said.arguments.agree(mlp_ratio=len(hidden.weight) / max(dim, 1))
        return SwinBlock(
            bias_table=table,
            block=Block(
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
            ),
        )

    def stage(index: int) -> SwinStage:
        dim = first_dim << index
        # Merging belongs to the stage it opens; files of the original code count it to the one before
        names = [f"layers.{index}.downsample", f"layers.{index - 1}.downsample"]
        older = "layers.0.downsample.norm.weight" in tensors
        merge_name = names[older] if index else None
        merge = merge_name and Merge(
            norm=norm(tensors, f"{merge_name}.norm", 2 * dim, epsilon),
            reduction=dense(tensors, f"{merge_name}.reduction", dim, 2 * dim, bias=False),
        )
        count = tensors.count(f"layers.{index}.blocks.{{}}.")
        blocks = [swin_block(f"layers.{index}.blocks.{i}", dim) for i in range(count)]
        return SwinStage(merge=merge or None, blocks=blocks)

    stages = [stage(index) for index in range(stage_count)]
    window = max((block.window for stage in stages for block in stage.blocks), default=0)
    depths = [len(stage.blocks) for stage in stages]
    heads = [stage.blocks[0].block.heads if stage.blocks else 0 for stage in stages]
    said.arguments.agree(in_chans=channels_of(embedding, patch))
    usual_dim, usual_depths, usual_heads = SIZES[said.name["size"]] if said.name else (None, None, None)
    usual_patch, usual_window = (int(said.name[part]) if said.name else None for part in ("patch", "window"))
    said.agree(
        embed_dim=(usual_dim, first_dim),
        depths=(usual_depths, depths),
        num_heads=(usual_heads, heads),
        patch_size=(usual_patch, patch),
        window_size=(usual_window, window),
    )
    return Swin(
        patch=patch,
        embedding=embedding,
        embedding_norm=norm(tensors, "patch_embed.norm", first_dim, epsilon),
        stages=stages,
        norm=norm(tensors, "norm", last_dim, epsilon),
        head=head,
    )
