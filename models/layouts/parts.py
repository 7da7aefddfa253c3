"""Parts that several families are made of."""

from math import isqrt, prod
from typing import Any

import numpy as np

from golden.errors import quoted
from models.files.tensors import Tensors
from models.floating.engine import Floats, Linear
from models.floating.functions import ACTIVATIONS, Norm
from models.layouts.options import MASKS, POOLINGS, Choices


def dense(tensors: Tensors, name: str, outputs: int | None, inputs: int | None, bias: bool = True) -> Linear:
    """`name`.weight and, if asked for, `name`.bias."""
    weight = tensors.take(f"{name}.weight", outputs, inputs)
    return Linear(weight=weight, bias=tensors.take(f"{name}.bias", len(weight)) if bias else None)


def norm(tensors: Tensors, name: str, size: int, epsilon: float, bias: bool = True) -> Norm:
    """`name`.weight and, if asked for, `name`.bias."""
    weight = tensors.take(f"{name}.weight", size)
    offset = tensors.take(f"{name}.bias", size) if bias else np.zeros(size, np.float32)
    return Norm(weight=weight, bias=offset, epsilon=epsilon)


def thirds(layer: Linear) -> list[Linear]:
    """Query, key and value from one dense layer of three times their outputs."""
    weights = np.array_split(layer.weight, 3)
    biases = [None] * 3 if layer.bias is None else np.array_split(layer.bias, 3)
    return [Linear(weight=weight, bias=bias) for weight, bias in zip(weights, biases, strict=True)]


def any_ends(tensors: Tensors, ending: str) -> bool:
    """Whether any tensor has such a name: then a layout takes it in every block."""
    return any(name.endswith(ending) for name in tensors.arrays)


def patch_embedding(tensors: Tensors, name: str, bias: bool = True) -> tuple[int, Linear]:
    """Pixels per side of a patch, and the convolution that embeds it as a dense layer."""
    kernel = tensors.take(f"{name}.weight", None, None, None, None)
    dim, _, size, width = kernel.shape
    if size != width:
        tensors.refuse(name, f"{name} must have square patches, not {size} x {width}")
    offset = tensors.take(f"{name}.bias", dim) if bias else None
    return size, Linear(weight=kernel.reshape(dim, prod(kernel.shape[1:])), bias=offset)


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


def pooling_of(
    choices: Choices, said: str | None, usual: str | None, known: tuple[str, ...] = POOLINGS
) -> str:
    """How the outputs of the tokens become one."""
    return _named(choices, "pooling", said, usual, known)


def mask_of(choices: Choices, said: str | None) -> str:
    """Which tokens a token sees."""
    return _named(choices, "mask", said, None, MASKS)


def _named(choices: Choices, name: str, said: str | None, usual: str | None, known: Any) -> str:
    value = choices.pick(name, said, usual)
    if value is not None and value not in known:
        choices.tensors.refuse(name, f"{name} must be one of {', '.join(known)}, not {quoted(value)}")
    return value if value in known else next(iter(known))


def bias_table(tensors: Tensors, name: str, dim: int) -> tuple[Floats, int]:
    """Relative position bias [(2*window-1)**2, heads] of a Swin block of `dim` features, and its heads."""
    table = tensors.take(name, None, None)
    side, heads = isqrt(len(table)), table.shape[1] or 1
    if dim % heads:
        tensors.refuse("heads", f"heads must divide the {dim} features, not {heads}")
        heads = 1
    if len(table) and (side**2 != len(table) or side % 2 == 0):
        reason = f"tensor {name} must have (2*window-1)^2 rows, not {len(table)}"
        tensors.refuse(name.rpartition(".")[0], reason)
    return table, heads


def placed(tensors: Tensors, name: str, first: Floats, where: int) -> Floats:
    """Positions of the tokens `first` and of the patches behind them, [first + patches, dim].

    Args:
        tensors: the model's.
        name: of the tensor [1, positions, dim].
        first: tokens before the patches.
        where: how many of these have a position of their own; the others get zeros.
    """
    positions = tensors.take(name, 1, None, first.shape[1])[0]
    patches = len(positions) - where
    if name in tensors and (patches < 1 or isqrt(patches) ** 2 != patches):
        tensors.refuse(name, f"{name} must have positions for a square of patches, not for {patches}")
    without = np.zeros((len(first) - where, positions.shape[1]), np.float32)
    return np.concatenate([positions[:where], without, positions[where:]])
