"""Swin transformers of Hugging Face transformers, first version."""

from models.files.folder import CONFIG
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
)

ABOUT = "Hugging Face, model_type swin"
MARK = "encoder.layers.0.blocks.0.attention.self.relative_position_bias_table"
PREFIXES = ("", "swin.")
# Buffers that the shapes determine, and what stands for a hidden patch in pretraining
HARMLESS = r"(attention\.self\.relative_position_index|^(swin\.)?embeddings\.mask_token)$"
HARMLESS_KEYS = (
    *("_name_or_path", "transformers_version", "torch_dtype", "dtype", "initializer_range"),
    *("attention_probs_dropout_prob", "hidden_dropout_prob", "drop_path_rate", "id2label", "label2id"),
    *("num_labels", "encoder_stride", "qkv_bias", "out_features", "out_indices", "stage_names", "image_size"),
    *("output_attentions", "output_hidden_states", "return_dict", "path_norm", "is_encoder_decoder"),
)
CLASSES = "SwinForImageClassification"


def recognise(tensors: Tensors) -> bool:
    return any(prefix + MARK in tensors for prefix in PREFIXES)


def read(tensors: Tensors, choices: Choices) -> Swin:
    prefix = next(p for p in PREFIXES if p + MARK in tensors)
    config = tensors.facts(CONFIG)
    config.harmless(*HARMLESS_KEYS, "architectures")
    config.only(model_type="swin", use_absolute_embeddings=False, chunk_size_feed_forward=0)
    config.only(problem_type="single_label_classification")
    patch, embedding = patch_embedding(tensors, f"{prefix}embeddings.patch_embeddings.projection")
    first_dim = len(embedding.weight)
    count = tensors.count(f"{prefix}encoder.layers.{{}}.")
    last_dim = first_dim << (count - 1)
    said = config.table.get("architectures") or []
    head = None
    if said == [CLASSES] and not tensors.left_out:
        head = dense(tensors, "classifier", None, last_dim)
    elif said not in ([], ["SwinModel"]) and not tensors.left_out:
        names = ", ".join(map(str, said))[:80]
        tensors.refuse(CONFIG, f"architectures in {CONFIG} must be SwinModel or {CLASSES}, not {names}")
    epsilon = epsilon_of(choices, config.take("layer_norm_eps", "fraction"), 1e-5)
    activation = activation_of(choices, config.take("hidden_act", "text"), "gelu")

    # Queries, keys and values have biases together, in all blocks, or not at all
    bias = any(any_ends(tensors, f"attention.self.{part}.bias") for part in ("query", "key", "value"))

    def swin_block(name: str, dim: int) -> SwinBlock:
        attention = f"{name}.attention.self"
        table, heads = bias_table(tensors, f"{attention}.relative_position_bias_table", dim)
        hidden = dense(tensors, f"{name}.intermediate.dense", None, dim)
        config.agree(mlp_ratio=len(hidden.weight) / max(dim, 1))
        return SwinBlock(
            bias_table=table,
            block=Block(
                heads=heads,
                norm_first=True,
                activation=activation,
                query=dense(tensors, f"{attention}.query", dim, dim, bias),
                key=dense(tensors, f"{attention}.key", dim, dim, bias),
                value=dense(tensors, f"{attention}.value", dim, dim, bias),
                projection=dense(tensors, f"{name}.attention.output.dense", dim, dim),
                mlp1=hidden,
                mlp2=dense(tensors, f"{name}.output.dense", dim, len(hidden.weight)),
                norm1=norm(tensors, f"{name}.layernorm_before", dim, epsilon),
                norm2=norm(tensors, f"{name}.layernorm_after", dim, epsilon),
            ),
        )

    def stage(index: int) -> SwinStage:
        dim = first_dim << index
        merge = None
        if index:  # merging is the end of the stage before
            name = f"{prefix}encoder.layers.{index - 1}.downsample"
            merge = Merge(
                norm=norm(tensors, f"{name}.norm", 2 * dim, epsilon),
                reduction=dense(tensors, f"{name}.reduction", dim, 2 * dim, bias=False),
            )
        start = f"{prefix}encoder.layers.{index}.blocks"
        blocks = tensors.count(f"{start}.{{}}.")
        return SwinStage(merge=merge, blocks=[swin_block(f"{start}.{i}", dim) for i in range(blocks)])

    stages = [stage(index) for index in range(count)]
    config.agree(
        embed_dim=first_dim,
        hidden_size=last_dim,
        depths=[len(stage.blocks) for stage in stages],
        num_layers=count,
        num_heads=[stage.blocks[0].block.heads if stage.blocks else 0 for stage in stages],
        window_size=max((block.window for stage in stages for block in stage.blocks), default=0),
        patch_size=patch,
        num_channels=channels_of(embedding, patch),
    )
    return Swin(
        patch=patch,
        embedding=embedding,
        embedding_norm=norm(tensors, f"{prefix}embeddings.norm", first_dim, epsilon),
        stages=stages,
        norm=norm(tensors, f"{prefix}layernorm", last_dim, epsilon),
        head=head,
    )
