"""Parts that several families are made of."""

from math import prod
from typing import Any

import numpy as np

from golden.errors import quoted
from models.files.tensors import Tensors
from models.floating.engine import Linear
from models.floating.functions import ACTIVATIONS, Norm
from models.layouts.options import MASKS, POOLINGS, Choices


def dense(tensors: Tensors, name: str, outputs: int | None, inputs: int | None, bias: bool = True) -> Linear:
    """`name`.weight and, if asked for, `name`.bias."""
    weight = tensors.take(f"{name}.weight", outputs, inputs)
    return Linear(weight=weight, bias=tensors.take(f"{name}.bias", len(weight)) if bias else None)


def norm(tensors: Tensors, name: str, size: int, epsilon: float) -> Norm:
    """`name`.weight and `name`.bias."""
    return Norm(
        weight=tensors.take(f"{name}.weight", size), bias=tensors.take(f"{name}.bias", size), epsilon=epsilon
    )


def fused(tensors: Tensors, weight: str, bias: str, dim: int) -> list[Linear]:
    """Query, key and value from one tensor of 3*dim outputs; the bias may be absent."""
    weights = np.array_split(tensors.take(weight, 3 * dim, dim), 3)
    offset = tensors.maybe(bias, 3 * dim)
    biases = [None] * 3 if offset is None else np.array_split(offset, 3)
    return [Linear(weight=w, bias=b) for w, b in zip(weights, biases, strict=True)]


def patch_embedding(tensors: Tensors, name: str) -> tuple[int, Linear]:
    """Pixels per side of a patch, and the convolution that embeds it as a dense layer."""
    kernel = tensors.take(f"{name}.weight", None, None, None, None)
    dim, _, size, width = kernel.shape
    if size != width:
        tensors.refuse(name, f"{name} must have square patches, not {size} x {width}")
    bias = tensors.take(f"{name}.bias", dim)
    return size, Linear(weight=kernel.reshape(dim, prod(kernel.shape[1:])), bias=bias)


def channels_of(embedding: Linear, patch: int) -> int:
    """Channels of the images that a patch embedding reads."""
    return embedding.weight.shape[1] // max(patch, 1) ** 2


def epsilon_of(choices: Choices, said: float | None, usual: float | None) -> float:
    """Epsilon of the norms."""
    value = choices.pick("epsilon", said, usual)
    if value is not None and not 0 <= value < 1:
        choices.tensors.refuse("epsilon", f"epsilon must be a number in 0..1, not {value!r}")
    return 0.0 if value is None else float(value)


def heads_of(choices: Choices, said: int | None, dim: int) -> int:
    """Attention heads, refused if they do not divide the features."""
    heads = choices.pick("heads", said)
    if heads is not None and (heads < 1 or dim % heads):
        choices.tensors.refuse("heads", f"heads must divide the {dim} features, not {heads}")
        return 1
    return heads or 1


def activation_of(choices: Choices, said: str | None, usual: str | None) -> str:
    """Name of the activation function, refused if this project has none of that name."""
    return _named(choices, "activation", said, usual, ACTIVATIONS)


def pooling_of(choices: Choices, said: str | None, usual: str | None) -> str:
    """How the outputs of the tokens become one."""
    return _named(choices, "pooling", said, usual, POOLINGS)


def mask_of(choices: Choices, said: str | None) -> str:
    """Which tokens a token sees."""
    return _named(choices, "mask", said, None, MASKS)


def _named(choices: Choices, name: str, said: str | None, usual: str | None, known: Any) -> str:
    value = choices.pick(name, said, usual)
    if value is not None and value not in known:
        choices.tensors.refuse(name, f"{name} must be one of {', '.join(known)}, not {quoted(value)}")
    return value if value in known else next(iter(known))
