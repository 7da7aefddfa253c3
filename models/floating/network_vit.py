"""Float vision transformer from which a spiking network is converted.

A pre-norm ViT (Dosovitskiy et al., ICLR 2021) with mean pooling after the last norm. Patches may
overlap; the norm is RMSNorm, LayerNorm or BatchNorm (as an affine map per channel), the activation
ReLU or GELU.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from golden.attention.exact import softmax_attention
from golden.code import check_range
from golden.errors import InputError, quoted
from golden.inputs import check_array
from golden.npz import read_npz
from models.floating.small_vit import VisionTransformer

MAX_SIDE = 4096
EPSILON = {"rms": 1e-6, "layer": 1e-5, "batch": 0.0}
_erf = np.vectorize(math.erf, otypes=[np.float64])
SIZES = ("side", "patch", "stride", "heads")
Observer = Callable[[str, NDArray[np.float64]], None]


def gelu(x: NDArray[np.float64]) -> NDArray[np.float64]:
    """x * Phi(x)."""
    return 0.5 * x * (1 + _erf(x / math.sqrt(2)))


def relu(x: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.maximum(x, 0)


ACTIVATIONS: dict[str, Callable[[NDArray[np.float64]], NDArray[np.float64]]] = {"relu": relu, "gelu": gelu}


def cut_patches(images: NDArray[np.floating], *, side: int, patch: int, stride: int) -> NDArray[np.float64]:
    """[images, tokens, patch**2] pixel values of images [images, side, side].

    Raises:
        InputError: wrong shape, NaN or infinity, no image.
    """
    images = check_array("images", images, (3,))
    if images.shape[1:] != (side, side):
        raise InputError(f"images must have the shape [n, {side}, {side}], not {list(images.shape)}")
    windows = np.lib.stride_tricks.sliding_window_view(images, (patch, patch), axis=(1, 2))
    windows = windows[:, ::stride, ::stride]
    return windows.reshape(len(images), -1, patch**2)


@dataclass(frozen=True, kw_only=True, eq=False)
class FloatTransformer:
    """Sizes and trained arrays.

    Attributes:
        side, patch, stride: pixels; patches start at every multiple of `stride`.
        heads: attention heads of every block.
        norm: "rms", "layer" or "batch".
        activation: "relu" or "gelu".
        parameters: "embed.weight" [width, pixels], "embed.bias", "position" [tokens, width],
            "blocks.I.{norm1,norm2}.weight" (and ".bias"), "blocks.I.{qkv,proj,up,down}.{weight,bias}",
            "norm.weight", "head.weight", "head.bias".

    Raises:
        InputError: a size is out of range, or an array has another shape than the sizes say.
    """

    side: int
    patch: int
    stride: int
    heads: int
    norm: str
    activation: str
    parameters: dict[str, NDArray[np.float64]]

    def __post_init__(self) -> None:
        check_range("side", self.side, 1, MAX_SIDE)
        check_range("patch", self.patch, 1, self.side)
        check_range("stride", self.stride, 1, self.side)
        check_range("heads", self.heads, 1, self.width)
        if self.width % self.heads:
            raise InputError(f"heads must divide the width ({self.width}), not {self.heads}")
        shapes = self._shapes()
        for name, array in self.parameters.items():
            if name not in shapes:
                raise InputError(f"the array {quoted(name)} must not be there")
            if array.shape != shapes[name]:
                raise InputError(f"{name} must have the shape {list(shapes[name])}, not {list(array.shape)}")

    def _shapes(self) -> dict[str, tuple[int, ...]]:
        """Of every array, as the width, the hidden widths and the number of classes say."""
        width, classes = self.width, self.parameters["head.bias"].size
        shapes: dict[str, tuple[int, ...]] = {"position": (self.across**2, width)}

        def linear(name: str, inputs: int, outputs: int) -> None:
            shapes.update({f"{name}.weight": (outputs, inputs), f"{name}.bias": (outputs,)})

        def affine(name: str) -> None:
            shapes.update({f"{name}.weight": (width,), f"{name}.bias": (width,)})

        linear("embed", self.patch**2, width)
        for index in range(self.blocks):
            block = f"blocks.{index}"
            hidden = self.parameters[f"{block}.up.bias"].size
            affine(f"{block}.norm1")
            affine(f"{block}.norm2")
            linear(f"{block}.qkv", width, 3 * width)
            linear(f"{block}.proj", width, width)
            linear(f"{block}.up", width, hidden)
            linear(f"{block}.down", hidden, width)
        affine("norm")
        linear("head", width, classes)
        return shapes

    @property
    def blocks(self) -> int:
        return sum(name.endswith("qkv.weight") for name in self.parameters)

    @property
    def width(self) -> int:
        return self.parameters["embed.bias"].size

    @property
    def across(self) -> int:
        return (self.side - self.patch) // self.stride + 1

    def patches(self, images: NDArray[np.floating]) -> NDArray[np.float64]:
        """[images, tokens, patch**2] pixel values of images [images, side, side]; see `cut_patches`."""
        return cut_patches(images, side=self.side, patch=self.patch, stride=self.stride)

    def affine(self, name: str) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Gain and shift per channel of a norm."""
        gain = self.parameters[f"{name}.weight"]
        return gain, self.parameters.get(f"{name}.bias", np.zeros_like(gain))

    def linear(self, name: str, x: NDArray[np.float64]) -> NDArray[np.float64]:
        return x @ self.parameters[f"{name}.weight"].T + self.parameters[f"{name}.bias"]

    def standardise(self, x: NDArray[np.float64]) -> NDArray[np.float64]:
        """What a norm does before its affine map."""
        if self.norm == "batch":
            return x
        if self.norm == "layer":
            x = x - x.mean(axis=-1, keepdims=True)
        return x / np.sqrt(np.mean(x * x, axis=-1, keepdims=True) + EPSILON[self.norm])

    def scores(
        self, images: NDArray[np.floating], observe: Observer = lambda name, value: None
    ) -> NDArray[np.float64]:
        """Class scores [images, classes]; `observe` sees every tensor that conversion codes."""

        def norm(name: str, x: NDArray[np.float64]) -> NDArray[np.float64]:
            standard = self.standardise(x)
            observe(name, standard)
            gain, shift = self.affine(name)
            return standard * gain + shift

        x = self.linear("embed", self.patches(images)) + self.parameters["position"]
        observe("stream", x)
        for index in range(self.blocks):
            block = f"blocks.{index}"
            qkv = self.linear(f"{block}.qkv", norm(f"{block}.norm1", x))
            q, k, v = qkv.reshape(*x.shape[:2], 3, self.heads, -1).transpose(2, 0, 3, 1, 4)
            mixed, _ = softmax_attention(q, k, v)
            for name, value in (("q", q), ("k", k), ("v", v), ("o", mixed)):
                observe(f"{block}.{name}", value)
            x = x + self.linear(f"{block}.proj", mixed.swapaxes(1, 2).reshape(x.shape))
            observe("stream", x)
            hidden = ACTIVATIONS[self.activation](self.linear(f"{block}.up", norm(f"{block}.norm2", x)))
            observe(f"{block}.hidden", hidden)
            x = x + self.linear(f"{block}.down", hidden)
            observe("stream", x)
        return self.linear("head", norm("norm", x).mean(axis=1))


def load_float(path: Path) -> FloatTransformer:
    """Read weights that `training/fashion.py` wrote.

    Raises:
        InputError: the file cannot be read, is truncated, lacks an array or holds NaN or infinity.
    """
    arrays = read_npz(path)
    try:
        sizes = {name: whole(f"{path}: {name}", arrays.pop(name)) for name in SIZES}
        norm, activation = str(arrays.pop("norm_kind")), str(arrays.pop("activation"))
        blocks = sum(name.endswith("qkv.weight") for name in arrays)
        needed = ["embed.weight", "embed.bias", "position", "norm.weight", "head.weight", "head.bias"]
        for index in range(blocks):
            needed += [f"blocks.{index}.{part}.weight" for part in ("norm1", "norm2")]
            needed += [
                f"blocks.{index}.{part}.{kind}"
                for part in ("qkv", "proj", "up", "down")
                for kind in ("weight", "bias")
            ]
        for name in needed:
            arrays[name]
    except KeyError as error:
        raise InputError(f"{path}: must hold the array {error.args[0]}") from None
    if norm not in EPSILON or activation not in ACTIVATIONS:
        raise InputError(
            f"{path}: norm and activation must be known, not {quoted(norm)} and {quoted(activation)}"
        )
    parameters = {name: check_array(f"{path}: {name}", value, (1, 2)) for name, value in arrays.items()}
    try:
        return FloatTransformer(norm=norm, activation=activation, parameters=parameters, **sizes)
    except InputError as error:
        raise InputError(f"{path}: {error}") from None


def whole(name: str, value: NDArray[np.generic]) -> int:
    """The integer in an array."""
    if value.shape != () or value.dtype.kind not in "iu":
        raise InputError(f"{name} must be an integer, not {quoted(value.tolist())}")
    return int(value)


def from_vit(network: VisionTransformer) -> FloatTransformer:
    """The handwritten-digits transformer in this form."""
    renamed = {"patch": "embed", "out": "proj", "layers": "blocks"}
    parameters = {
        ".".join(renamed.get(part, part) for part in name.split(".")): value.astype(np.float64)
        for name, value in network.parameters.items()
    }
    config = network.config
    return FloatTransformer(
        side=config.side, patch=config.patch, stride=config.patch, heads=config.heads,
        norm="rms", activation="relu", parameters=parameters,
    )  # fmt: skip
