"""`torch.nn.TransformerEncoder`, under any prefix.

Its file says neither the heads nor the activation, the order of the norms, their epsilon or the mask of the
call. A config.json that the user writes may, under torch's names.
"""

import re

from models.files.folder import CONFIG
from models.files.tensors import Tensors
from models.floating.encoder import Block
from models.floating.engine import Linear
from models.floating.functions import Norm
from models.floating.torch_encoder import TorchEncoder
from models.layouts.options import Choices
from models.layouts.parts import activation_of, dense, epsilon_of, heads_of, mask_of, norm, thirds

ABOUT = "torch.nn.TransformerEncoder"
MARK = re.compile(r"(^|.*\.)layers\.0\.self_attn\.in_proj_weight$")
HARMLESS_KEYS = ("dropout", "batch_first", "enable_nested_tensor", "mask_check")


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
    return TorchEncoder(
        blocks=[block(index) for index in range(layers)],
        norm=final_norm(tensors, f"{prefix}norm", dim, epsilon, bias),
        causal=mask == "causal",
    )


def final_norm(tensors: Tensors, name: str, dim: int, epsilon: float, bias: bool) -> Norm | None:
    """The norm behind all blocks, a module of the user's own, None where there is none.

    It has a bias where the layers have, and may where they have not.
    """
    if not tensors.has(name):
        return None
    return norm(tensors, name, dim, epsilon, bias or f"{name}.bias" in tensors)
