"""Vision transformers of Hugging Face transformers: ViT, DeiT, DINOv2, with registers or without."""

from dataclasses import dataclass
from typing import Any

import numpy as np

from models.files.facts import Facts, as_json
from models.files.folder import CONFIG
from models.files.tensors import Tensors
from models.floating.encoder import Block
from models.floating.engine import Linear
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
)


@dataclass(frozen=True, kw_only=True)
class Kind:
    """What a model_type means.

    Attributes:
        name: of the class of the encoder, before "Model".
        prefix: of the tensors in files of models with a head.
        norms, mlp: names of a block's norms and of the layers of its MLP.
        first: tokens before the patches, by their names in the embedding.
        scaled: both halves of a block have a layer scale.
        pooling: what the classifier reads.
        epsilon: of the norms, where config.json says nothing.
    """

    name: str
    prefix: str
    norms: tuple[str, str] = ("layernorm_before", "layernorm_after")
    mlp: tuple[str, str] = ("intermediate.dense", "output.dense")
    first: tuple[str, ...] = ("cls_token",)
    scaled: bool = False
    pooling: str = "cls"
    epsilon: float = 1e-12


DINO: dict[str, Any] = {
    **{"norms": ("norm1", "norm2"), "mlp": ("mlp.fc1", "mlp.fc2")},
    **{"scaled": True, "pooling": "both", "epsilon": 1e-6},
}
KINDS = {
    "vit": Kind(name="ViT", prefix="vit."),
    "deit": Kind(name="DeiT", prefix="deit.", first=("cls_token", "distillation_token")),
    "dinov2": Kind(name="Dinov2", prefix="dinov2.", **DINO),
    "dinov2_with_registers": Kind(
        name="Dinov2WithRegisters",
        prefix="dinov2_with_registers.",
        first=("cls_token", "register_tokens"),
        **DINO,
    ),
}
ABOUT = f"Hugging Face, model_type {', '.join(KINDS)}"
PREFIXES = ("", *(kind.prefix for kind in KINDS.values()))
MARK = "encoder.layer.0.attention.attention.query.weight"
# What stands for a hidden patch in pretraining, and the layer on the class token that no classifier reads
HARMLESS = r"^(vit\.|deit\.|dinov2\.|dinov2_with_registers\.)?(embeddings\.mask_token$|pooler\.dense\.)"
# Training, names, and what backbones and pretraining ask for
HARMLESS_KEYS = (
    *("_name_or_path", "transformers_version", "torch_dtype", "dtype", "initializer_range"),
    *("attention_probs_dropout_prob", "hidden_dropout_prob", "drop_path_rate", "id2label", "label2id"),
    *("num_labels", "encoder_stride", "pooler_act", "pooler_output_size", "layerscale_value", "qkv_bias"),
    *("out_features", "out_indices", "stage_names", "reshape_hidden_states", "apply_layernorm"),
    *("use_mask_token", "output_attentions", "output_hidden_states", "return_dict", "is_encoder_decoder"),
    *("attn_implementation", "_attn_implementation", "chunk_size_feed_forward", "pruned_heads"),
)
CLASSIFIER, TEACHER = "ForImageClassification", "ForImageClassificationWithTeacher"


def recognise(tensors: Tensors) -> bool:
    return any(prefix + MARK in tensors for prefix in PREFIXES)


def kind_of(tensors: Tensors, choices: Choices, config: Facts, prefix: str) -> Kind:
    """What config.json or the user calls the model; a ViT where nobody does."""
    name = choices.pick("architecture", config.take("model_type", "text"))
    if name not in (None, *KINDS):
        reason = f"model_type must be one of {', '.join(KINDS)}, not {as_json(name)}"
        tensors.refuse("architecture", reason)
    kind = KINDS.get(name, KINDS["vit"])
    if name in KINDS and prefix not in ("", kind.prefix):
        reason = f"model_type {name} names its tensors {kind.prefix}..., not {prefix}..."
        tensors.refuse("architecture", reason)
    return kind


def read_heads(tensors: Tensors, config: Facts, kind: Kind, dim: int) -> tuple[Linear | None, Linear | None]:
    """The classifiers on the class token and on the distillation token that `architectures` names."""
    config.harmless("architectures")
    said = config.table.get("architectures") or []
    if said == [kind.name + CLASSIFIER] and not tensors.left_out:
        return dense(tensors, "classifier", None, dim * (2 if kind.pooling == "both" else 1)), None
    if said == ["DeiT" + TEACHER] and kind.name == "DeiT" and not tensors.left_out:
        head = dense(tensors, "cls_classifier", None, dim)
        return head, dense(tensors, "distillation_classifier", len(head.weight), dim)
    if said not in ([], [f"{kind.name}Model"]) and not tensors.left_out:
        tensors.refuse(
            CONFIG,
            f"architectures in {CONFIG} names {', '.join(map(str, said))[:80]}; {kind.name}Model and "
            f"{kind.name}{CLASSIFIER} are known; --leave-out another head goes on without it",
        )
    return None, None


def read(tensors: Tensors, choices: Choices) -> Vit:
    prefix = next(p for p in PREFIXES if p + MARK in tensors)
    config = tensors.facts(CONFIG)
    kind = kind_of(tensors, choices, config, prefix)
    config.harmless(*HARMLESS_KEYS)
    config.only(use_swiglu_ffn=False, problem_type="single_label_classification")
    patch, embedding = patch_embedding(tensors, f"{prefix}embeddings.patch_embeddings.projection")
    dim = len(embedding.weight)
    head, teacher = read_heads(tensors, config, kind, dim)
    heads = heads_of(choices, config.take("num_attention_heads", "count"), dim)
    epsilon = epsilon_of(choices, config.take("layer_norm_eps", "fraction"), kind.epsilon)
    activation = activation_of(choices, config.take("hidden_act", "text"), "gelu")
    first = [tensors.take(f"{prefix}embeddings.{name}", 1, None, dim)[0] for name in kind.first]
    registers = len(first[1]) if "register_tokens" in kind.first else 0
    tokens = np.concatenate(first)

    # Queries, keys and values have biases together, in all blocks, or not at all
    bias = any(any_ends(tensors, f"attention.attention.{part}.bias") for part in ("query", "key", "value"))

    def block(index: int) -> Block:
        name = f"{prefix}encoder.layer.{index}"
        attention, (mlp1, mlp2) = f"{name}.attention.attention", kind.mlp
        hidden = dense(tensors, f"{name}.{mlp1}", None, dim)
        config.agree(intermediate_size=len(hidden.weight), mlp_ratio=len(hidden.weight) / max(dim, 1))
        return Block(
            heads=heads,
            norm_first=True,
            activation=activation,
            query=dense(tensors, f"{attention}.query", dim, dim, bias),
            key=dense(tensors, f"{attention}.key", dim, dim, bias),
            value=dense(tensors, f"{attention}.value", dim, dim, bias),
            projection=dense(tensors, f"{name}.attention.output.dense", dim, dim),
            mlp1=hidden,
            mlp2=dense(tensors, f"{name}.{mlp2}", dim, len(hidden.weight)),
            norm1=norm(tensors, f"{name}.{kind.norms[0]}", dim, epsilon),
            norm2=norm(tensors, f"{name}.{kind.norms[1]}", dim, epsilon),
            gain1=tensors.take(f"{name}.layer_scale1.lambda1", dim) if kind.scaled else None,
            gain2=tensors.take(f"{name}.layer_scale2.lambda1", dim) if kind.scaled else None,
        )

    layers = tensors.count(f"{prefix}encoder.layer.{{}}.")
    placed_tokens = len(tokens) - registers
    vit = Vit(
        patch=patch,
        stride=patch,
        embedding=embedding,
        first=tokens,
        positions=placed(tensors, f"{prefix}embeddings.position_embeddings", tokens, placed_tokens),
        blocks=[block(index) for index in range(layers)],
        norm=norm(tensors, f"{prefix}layernorm", dim, epsilon),
        head=head,
        teacher_head=teacher,
        pooling=kind.pooling if head is not None else "cls",
        pool_first=teacher is None and (kind.pooling == "cls" or head is None),
    )
    config.agree(
        hidden_size=dim,
        num_hidden_layers=layers,
        patch_size=patch,
        num_channels=channels_of(embedding, patch),
        num_register_tokens=registers,
    )
    check_side(config, vit)
    return vit


def check_side(config: Facts, vit: Vit) -> None:
    """Refuse an image_size other than that of the positions."""
    said = config.take("image_size", "count")
    if said is not None and (said // max(vit.patch, 1)) ** 2 != len(vit.positions) - len(vit.first):
        places = len(vit.positions) - len(vit.first)
        reason = f"{config.file} says image_size = {said}, the tensors have positions for {places} patches"
        config.refuse(config.file, reason)
