"""`torch.nn.TransformerEncoder`, under any prefix, alone or in a module of the user's.

Its file says neither the heads nor the activation, the order of the norms, their epsilon or the mask of the
call, nor what the module does around it. Options do, or a config.json that the user writes, under torch's
names and those of the options.
"""

import re

import numpy as np

from models.files.folder import CONFIG
from models.files.tensors import Tensors
from models.floating.encoder import Block
from models.floating.engine import Floats, Linear
from models.floating.functions import Norm
from models.floating.torch_encoder import TorchEncoder
from models.layouts.options import ENCODER_POOLINGS, Choices
from models.layouts.parts import (
    activation_of,
    dense,
    epsilon_of,
    heads_of,
    mask_of,
    norm,
    pooling_of,
    thirds,
)

ABOUT = "torch.nn.TransformerEncoder"
MARK = re.compile(r"(^|.*\.)layers\.0\.self_attn\.in_proj_weight$")
HARMLESS_KEYS = ("dropout", "batch_first", "enable_nested_tensor", "mask_check")
# Options that name what surrounds the encoder
SURROUNDING = ("embedding", "class_token", "positions", "head")
HINT = "--embedding, --class-token, --positions or --head may say what it is, "


def recognise(tensors: Tensors) -> bool:
    return any(MARK.match(name) for name in tensors.arrays)


def read(tensors: Tensors, choices: Choices) -> TorchEncoder:
    prefix = min(match[1] for name in tensors.arrays if (match := MARK.match(name)))
    config = tensors.facts(CONFIG)
    config.harmless(*HARMLESS_KEYS)
    epsilon = epsilon_of(choices, config.take("layer_norm_eps", "fraction"), None)
    activation = activation_of(choices, config.take("activation", "text"), None)
    norm_first = choices.pick("norm_first", config.take("norm_first", "flag"))
    causal = config.take("is_causal", "flag")
    mask = mask_of(choices, None if causal is None else "causal" if causal else "none")
    dim = tensors.take(f"{prefix}layers.0.self_attn.in_proj_weight", None, None).shape[1]
    heads = heads_of(choices, config.take("nhead", "count"), dim)
    # torch gives biases to all layers and norms, or to none
    bias = any(name.startswith(f"{prefix}layers.") and name.endswith(".bias") for name in tensors.arrays)
    config.agree(bias=bias)

    def block(index: int) -> Block:
        name = f"{prefix}layers.{index}"
        attention = f"{name}.self_attn"
        inputs = tensors.take(f"{attention}.in_proj_weight", 3 * dim, dim)
        offsets = tensors.take(f"{attention}.in_proj_bias", 3 * dim) if bias else None
        query, key, value = thirds(Linear(weight=inputs, bias=offsets))
        hidden = dense(tensors, f"{name}.linear1", None, dim, bias)
        config.agree(dim_feedforward=len(hidden.weight))
        return Block(
            heads=heads,
            norm_first=bool(norm_first),
            activation=activation,
            query=query,
            key=key,
            value=value,
            projection=dense(tensors, f"{attention}.out_proj", dim, dim, bias),
            mlp1=hidden,
            mlp2=dense(tensors, f"{name}.linear2", dim, len(hidden.weight), bias),
            norm1=norm(tensors, f"{name}.norm1", dim, epsilon, bias),
            norm2=norm(tensors, f"{name}.norm2", dim, epsilon, bias),
        )

    layers = tensors.count(f"{prefix}layers.{{}}.")
    config.agree(d_model=dim, num_layers=layers)
    names = {name: choices.maybe(name, config.take(name, "text")) for name in SURROUNDING}
    embedding, class_token, positions, head = (names[name] for name in SURROUNDING)
    pooling = config.take("pooling", "text")
    # Vectors need no pooling, a head reads a single one
    pooled = head is not None or choices.maybe("pooling", pooling) is not None
    return TorchEncoder(
        blocks=[block(index) for index in range(layers)],
        norm=final_norm(tensors, f"{prefix}norm", dim, epsilon, bias),
        causal=mask == "causal",
        embedding=None if embedding is None else user_dense(tensors, embedding, dim, None),
        class_token=None if class_token is None else rows(tensors, class_token, dim, single=True),
        positions=None if positions is None else rows(tensors, positions, dim),
        pooling=pooling_of(choices, pooling, None, ENCODER_POOLINGS) if pooled else None,
        head=None if head is None else user_dense(tensors, head, None, dim),
    )


def user_dense(tensors: Tensors, name: str, outputs: int | None, inputs: int | None) -> Linear:
    """A torch.nn.Linear of the user's module, with a bias or without."""
    refuse_twice(tensors, name, f"{name}.weight")
    return dense(tensors, name, outputs, inputs, bias=f"{name}.bias" in tensors)


def rows(tensors: Tensors, name: str, dim: int, single: bool = False) -> Floats:
    """Vectors [count, dim] of the user's module: a parameter or buffer that may have further axes of one,
    or the weight of a torch.nn.Embedding; a single one if asked for.
    """
    full = f"{name}.weight" if f"{name}.weight" in tensors else name
    refuse_twice(tensors, name, full)
    shape = tensors.arrays[full].shape if full in tensors else (1, dim)
    values = tensors.take(full, *shape)
    longer = [size for size in shape[:-1] if size != 1]
    if shape[-1:] != (dim,) or len(longer) > (not single):
        count = 1 if single else "tokens"
        reason = f"must have the shape [{count}, {dim}], beside axes of 1, not {list(shape)}"
        tensors.refuse(name, f"tensor {full} {reason}")
        return np.zeros((1, dim), np.float32)
    return values.reshape(-1, dim)


def refuse_twice(tensors: Tensors, name: str, tensor: str) -> None:
    """Refuse a part that the user names and that was read as another."""
    if tensor in tensors.taken:
        tensors.refuse(name, f"{name} is another part of the model already")


def final_norm(tensors: Tensors, name: str, dim: int, epsilon: float, bias: bool) -> Norm | None:
    """The norm behind all blocks, a module of the user's own, None where there is none.

    It has a bias where the layers have, and may where they have not.
    """
    if not tensors.has(name):
        return None
    return norm(tensors, name, dim, epsilon, bias or f"{name}.bias" in tensors)
