"""Which tensors make which model: HF BERT, timm ViT, timm Swin, torch.nn.TransformerEncoder."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from math import isqrt, prod
from typing import Any

import numpy as np

from golden.conversion.scheme import RefusedModel
from golden.conversion.tensors import Tensors
from golden.models.bert import Bert
from golden.models.encoder import Block
from golden.models.engine import Linear
from golden.models.functions import ACTIVATIONS, Norm
from golden.models.swin import Merge, Swin, SwinBlock, SwinStage
from golden.models.torch_encoder import TorchEncoder
from golden.models.vit import Vit

Model = Bert | Vit | Swin | TorchEncoder


@dataclass(frozen=True, kw_only=True)
class Options:
    """What a file of tensors does not say; None takes config.json's word or the layout's usual value.

    Attributes:
        heads: attention heads.
        activation: function between the MLP's layers.
        norm_first: torch.nn.TransformerEncoder with norm_first=True.
        epsilon: of the norms.
    """

    heads: int | None = None
    activation: str | None = None
    norm_first: bool | None = None
    epsilon: float | None = None


def dense(tensors: Tensors, name: str, outputs: int | None, inputs: int | None, bias: bool = True) -> Linear:
    """`name`.weight and, if asked for, `name`.bias."""
    weight = tensors.take(f"{name}.weight", outputs, inputs)
    return Linear(weight=weight, bias=tensors.take(f"{name}.bias", len(weight)) if bias else None)


def norm(tensors: Tensors, name: str, size: int, epsilon: float) -> Norm:
    return Norm(
        weight=tensors.take(f"{name}.weight", size), bias=tensors.take(f"{name}.bias", size), epsilon=epsilon
    )


def fused(tensors: Tensors, weight: str, bias: str, dim: int) -> list[Linear]:
    """Query, key and value from one tensor of 3*dim outputs; the bias may be absent."""
    weights = np.array_split(tensors.take(weight, 3 * dim, dim), 3)
    offset = tensors.maybe(bias, 3 * dim)
    biases = [None] * 3 if offset is None else np.array_split(offset, 3)
    return [Linear(weight=w, bias=b) for w, b in zip(weights, biases, strict=True)]


def pick(option: Any, config: dict[str, Any], key: str, usual: Any) -> Any:
    """The user's option, else config.json's value, else the usual one."""
    return option if option is not None else config.get(key, usual)


def epsilon_of(tensors: Tensors, options: Options, key: str, usual: float) -> float:
    """Epsilon of the norms."""
    value = pick(options.epsilon, tensors.config, key, usual)
    if isinstance(value, int | float) and 0 <= value < 1:
        return float(value)
    tensors.refuse(key, f"{key} must be a number in 0..1, not {value!r}")
    return usual


def activation_of(tensors: Tensors, name: Any) -> str:
    """`name`, refused if this project has no such activation function."""
    if isinstance(name, str) and name in ACTIVATIONS:
        return name
    tensors.refuse("activation", f"activation must be one of {', '.join(ACTIVATIONS)}, not {name!r}")
    return next(iter(ACTIVATIONS))


def heads_of(tensors: Tensors, heads: Any, dim: int) -> int:
    """`heads`, refused if unknown or no divisor of `dim`."""
    if heads is None:
        tensors.refuse("heads", "the number of heads is not in the file; give it (heads)")
    elif not isinstance(heads, int) or heads < 1 or dim % heads:
        tensors.refuse("heads", f"heads must divide the {dim} features, not {heads!r}")
    else:
        return heads
    return 1


# --- Hugging Face BERT ---------------------------------------------------------------------------

BERT_PREFIXES = ("", "bert.", "roberta.")
BERT_MARK = "encoder.layer.0.attention.self.query.weight"
# Buffers, and heads of pretraining that take no part in embedding or classification
BERT_IGNORABLE = r"position_ids$|token_type_ids$|^cls\.|^lm_head\."


def read_bert(tensors: Tensors, options: Options) -> Bert:
    prefix = next(p for p in BERT_PREFIXES if p + BERT_MARK in tensors)
    config = tensors.config
    if config.get("position_embedding_type", "absolute") != "absolute":
        tensors.refuse(
            f"{prefix}embeddings",
            f"position_embedding_type must be 'absolute', not {config['position_embedding_type']!r}",
        )
    words = tensors.take(f"{prefix}embeddings.word_embeddings.weight", None, None)
    dim = words.shape[1]
    heads = heads_of(tensors, pick(options.heads, config, "num_attention_heads", None), dim)
    epsilon = epsilon_of(tensors, options, "layer_norm_eps", 1e-12)
    activation = activation_of(tensors, pick(options.activation, config, "hidden_act", "gelu"))
    positions = tensors.take(f"{prefix}embeddings.position_embeddings.weight", None, dim)
    if prefix == "roberta." or "roberta" in str(config.get("model_type", "")):
        padding = config.get("pad_token_id", 1)
        if not isinstance(padding, int) or not 0 <= padding < len(positions):
            tensors.refuse(f"{prefix}embeddings", f"pad_token_id must be a token number, not {padding!r}")
            padding = 0
        positions = positions[padding + 1 :]

    def block(index: int) -> Block:
        name = f"{prefix}encoder.layer.{index}"
        hidden = dense(tensors, f"{name}.intermediate.dense", None, dim)
        return Block(
            heads=heads,
            norm_first=False,
            activation=activation,
            query=dense(tensors, f"{name}.attention.self.query", dim, dim),
            key=dense(tensors, f"{name}.attention.self.key", dim, dim),
            value=dense(tensors, f"{name}.attention.self.value", dim, dim),
            projection=dense(tensors, f"{name}.attention.output.dense", dim, dim),
            mlp1=hidden,
            mlp2=dense(tensors, f"{name}.output.dense", dim, len(hidden.weight)),
            norm1=norm(tensors, f"{name}.attention.output.LayerNorm", dim, epsilon),
            norm2=norm(tensors, f"{name}.output.LayerNorm", dim, epsilon),
        )

    pooled = tensors.has(f"{prefix}pooler.dense")
    model = Bert(
        words=words,
        positions=positions,
        types=tensors.take(f"{prefix}embeddings.token_type_embeddings.weight", None, dim),
        norm=norm(tensors, f"{prefix}embeddings.LayerNorm", dim, epsilon),
        blocks=[block(index) for index in range(tensors.count(f"{prefix}encoder.layer.{{}}."))],
        pooler=dense(tensors, f"{prefix}pooler.dense", dim, dim) if pooled else None,
        classifier=dense(tensors, "classifier", None, dim) if tensors.has("classifier") else None,
    )
    tensors.refuse_leftovers(BERT_IGNORABLE)
    return model


# --- timm vision transformer ---------------------------------------------------------------------

VIT_MARK = "blocks.0.attn.qkv.weight"


def patch_embedding(tensors: Tensors, name: str) -> tuple[int, Linear]:
    kernel = tensors.take(f"{name}.weight", None, None, None, None)
    dim, _, size, width = kernel.shape
    if size != width:
        tensors.refuse(name, f"{name} must have square patches, not {size} x {width}")
    bias = tensors.take(f"{name}.bias", dim)
    return size, Linear(weight=kernel.reshape(dim, prod(kernel.shape[1:])), bias=bias)


def read_vit(tensors: Tensors, options: Options) -> Vit:
    config = tensors.config
    patch, embedding = patch_embedding(tensors, "patch_embed.proj")
    dim = len(embedding.weight)
    heads = heads_of(tensors, pick(options.heads, config, "num_heads", None), dim)
    epsilon = epsilon_of(tensors, options, "norm_eps", 1e-6)
    activation = activation_of(tensors, options.activation or "gelu")

    def block(index: int) -> Block:
        name = f"blocks.{index}"
        query, key, value = fused(tensors, f"{name}.attn.qkv.weight", f"{name}.attn.qkv.bias", dim)
        hidden = dense(tensors, f"{name}.mlp.fc1", None, dim)
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

    model = Vit(
        patch=patch,
        embedding=embedding,
        class_token=tensors.take("cls_token", 1, 1, dim)[0, 0],
        positions=tensors.take("pos_embed", 1, None, dim)[0],
        blocks=[block(index) for index in range(tensors.count("blocks.{}."))],
        norm=norm(tensors, "norm", dim, epsilon),
        head=dense(tensors, "head", None, dim) if tensors.has("head") else None,
    )
    tensors.refuse_leftovers(r"^$")
    return model


# --- timm Swin -----------------------------------------------------------------------------------

SWIN_MARK = "layers.0.blocks.0.attn.relative_position_bias_table"
SWIN_IGNORABLE = r"relative_position_index$|attn_mask$"


def read_swin(tensors: Tensors, options: Options) -> Swin:
    patch, embedding = patch_embedding(tensors, "patch_embed.proj")
    first_dim = len(embedding.weight)
    epsilon = epsilon_of(tensors, options, "norm_eps", 1e-5)
    activation = activation_of(tensors, options.activation or "gelu")

    def swin_block(name: str, dim: int) -> SwinBlock:
        table = tensors.take(f"{name}.attn.relative_position_bias_table", None, None)
        heads = heads_of(tensors, table.shape[1] or 1, dim)
        if len(table) and (isqrt(len(table)) ** 2 != len(table) or isqrt(len(table)) % 2 == 0):
            tensors.refuse(
                f"{name}.attn",
                f"tensor {name}.attn.relative_position_bias_table must have (2*window-1)^2 rows, "
                f"not {len(table)}",
            )
        query, key, value = fused(tensors, f"{name}.attn.qkv.weight", f"{name}.attn.qkv.bias", dim)
        hidden = dense(tensors, f"{name}.mlp.fc1", None, dim)
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

    stages = [stage(index) for index in range(tensors.count("layers.{}."))]
    last_dim = first_dim << (len(stages) - 1)
    head = next((name for name in ("head.fc", "head") if tensors.has(name)), None)
    model = Swin(
        patch=patch,
        embedding=embedding,
        embedding_norm=norm(tensors, "patch_embed.norm", first_dim, epsilon),
        stages=stages,
        norm=norm(tensors, "norm", last_dim, epsilon),
        head=dense(tensors, head, None, last_dim) if head else None,
    )
    tensors.refuse_leftovers(SWIN_IGNORABLE)
    return model


# --- torch.nn.TransformerEncoder -----------------------------------------------------------------

TORCH_MARK = "layers.0.self_attn.in_proj_weight"


def read_torch_encoder(tensors: Tensors, options: Options) -> TorchEncoder:
    prefix = torch_prefix(tensors)
    config = tensors.config
    epsilon = epsilon_of(tensors, options, "layer_norm_eps", 1e-5)
    activation = activation_of(tensors, pick(options.activation, config, "activation", "relu"))
    norm_first = bool(pick(options.norm_first, config, "norm_first", False))
    dim = tensors.take(f"{prefix}layers.0.self_attn.in_proj_weight", None, None).shape[1]
    heads = heads_of(tensors, pick(options.heads, config, "nhead", None), dim)

    def block(index: int) -> Block:
        name = f"{prefix}layers.{index}"
        attention = f"{name}.self_attn"
        query, key, value = fused(tensors, f"{attention}.in_proj_weight", f"{attention}.in_proj_bias", dim)
        hidden = dense(tensors, f"{name}.linear1", None, dim)
        return Block(
            heads=heads,
            norm_first=norm_first,
            activation=activation,
            query=query,
            key=key,
            value=value,
            projection=dense(tensors, f"{attention}.out_proj", dim, dim),
            mlp1=hidden,
            mlp2=dense(tensors, f"{name}.linear2", dim, len(hidden.weight)),
            norm1=norm(tensors, f"{name}.norm1", dim, epsilon),
            norm2=norm(tensors, f"{name}.norm2", dim, epsilon),
        )

    model = TorchEncoder(
        blocks=[block(index) for index in range(tensors.count(f"{prefix}layers.{{}}."))],
        norm=norm(tensors, f"{prefix}norm", dim, epsilon) if tensors.has(f"{prefix}norm") else None,
    )
    tensors.refuse_leftovers(r"^$")
    return model


def torch_prefix(tensors: Tensors) -> str:
    """What stands before layers.0 in the names of a torch.nn.TransformerEncoder."""
    return next(n.removesuffix(TORCH_MARK) for n in tensors.arrays if re.search(rf"(^|\.){TORCH_MARK}$", n))


@dataclass(frozen=True, kw_only=True)
class Layout:
    """A known layout: how to recognise and how to read it."""

    recognise: Callable[[Tensors], bool]
    read: Callable[[Tensors, Options], Model]


LAYOUTS: dict[str, Layout] = {
    "bert": Layout(recognise=lambda t: any(p + BERT_MARK in t for p in BERT_PREFIXES), read=read_bert),
    "swin": Layout(recognise=lambda t: SWIN_MARK in t, read=read_swin),
    "vit": Layout(recognise=lambda t: VIT_MARK in t, read=read_vit),
    "torch-encoder": Layout(
        recognise=lambda t: any(re.search(rf"(^|\.){TORCH_MARK}$", n) for n in t.arrays),
        read=read_torch_encoder,
    ),
}


def read_model(tensors: Tensors, options: Options) -> tuple[str, Model]:
    """Recognise the layout and read the model.

    Returns:
        (layout, model).

    Raises:
        RefusedModel: no known layout, or what the layout needs is missing or wrong; with a verdict for
            every node.
    """
    for name, layout in LAYOUTS.items():
        if layout.recognise(tensors):
            model = layout.read(tensors, options)
            tensors.settle()
            return name, model
    some = ", ".join(sorted(tensors.arrays)[:3])
    raise RefusedModel(
        f"{tensors.path}: unknown architecture (tensors {some}, ...); known layouts: {', '.join(LAYOUTS)}",
        tensors.nodes,
        [(node, "unknown architecture") for node in tensors.nodes],
    )
