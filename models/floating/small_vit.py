"""A small vision transformer in NumPy, with attention that can be exact or spiked.

The network is a pre-norm ViT (Dosovitskiy et al., ICLR 2021) with RMS norm, ReLU and mean pooling
instead of a class token. Everything but attention is float64.
"""

from dataclasses import asdict, dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from golden.attention.exact import softmax_attention
from golden.code import check_range
from golden.errors import InputError
from golden.inputs import check_array

NORM_EPSILON = 1e-6  # added to the mean square, as in training


@dataclass(frozen=True, kw_only=True)
class VitConfig:
    """Sizes of the network.

    Attributes:
        side: pixels along each side of an image.
        patch: pixels along each side of a patch; divides `side`.
        width: features of a token.
        heads: attention heads per layer; divides `width`.
        layers: transformer blocks.
        hidden: features between the two linear layers of a block.
        classes: output classes.

    Raises:
        InputError: a field is not a positive integer or does not divide another.
    """

    side: int
    patch: int
    width: int
    heads: int
    layers: int
    hidden: int
    classes: int

    def __post_init__(self) -> None:
        for name, value in asdict(self).items():
            check_range(f"VitConfig.{name}", value, 1, 4096)
        if self.side % self.patch:
            raise InputError(f"VitConfig.patch must divide side ({self.side}), not {self.patch}")
        if self.width % self.heads:
            raise InputError(f"VitConfig.heads must divide width ({self.width}), not {self.heads}")

    @property
    def tokens(self) -> int:
        return (self.side // self.patch) ** 2

    @property
    def head_dim(self) -> int:
        return self.width // self.heads

    @property
    def parameter_shapes(self) -> dict[str, tuple[int, ...]]:
        """Name and shape of every trained array; linear weights are [outputs, inputs]."""
        shapes: dict[str, tuple[int, ...]] = {
            "position": (self.tokens, self.width),
            "norm.weight": (self.width,),
        }

        def linear(name: str, inputs: int, outputs: int) -> None:
            shapes[f"{name}.weight"] = (outputs, inputs)
            shapes[f"{name}.bias"] = (outputs,)

        linear("patch", self.patch**2, self.width)
        linear("head", self.width, self.classes)
        for layer in range(self.layers):
            block = f"layers.{layer}"
            shapes[f"{block}.norm1.weight"] = shapes[f"{block}.norm2.weight"] = (self.width,)
            linear(f"{block}.qkv", self.width, 3 * self.width)
            linear(f"{block}.out", self.width, self.width)
            linear(f"{block}.up", self.width, self.hidden)
            linear(f"{block}.down", self.hidden, self.width)
        return shapes


class Attention(Protocol):
    """Attention of one layer for a batch of images."""

    def __call__(
        self, layer: int, q: NDArray[np.floating], k: NDArray[np.floating], v: NDArray[np.floating]
    ) -> NDArray[np.floating]:
        """q, k, v and the result are [images, heads, tokens, head_dim]."""


def exact_attention(
    layer: int, q: NDArray[np.floating], k: NDArray[np.floating], v: NDArray[np.floating]
) -> NDArray[np.floating]:
    """Softmax attention in float64; see `Attention`."""
    return softmax_attention(q, k, v)[0]


@dataclass(frozen=True, eq=False)
class VisionTransformer:
    """A trained network.

    Attributes:
        config: its sizes.
        parameters: float arrays, named and shaped as in `config.parameter_shapes`.
        metadata: what training recorded (seeds, accuracy); plain values.
    """

    config: VitConfig
    parameters: dict[str, NDArray[np.floating]]
    metadata: dict[str, Any]

    def logits(
        self, images: NDArray[np.floating], attention: Attention = exact_attention
    ) -> NDArray[np.float64]:
        """Class scores.

        Args:
            images: [images, side, side], as scaled in training.
            attention: what computes the attention of each layer.

        Returns:
            float64 [images, classes].

        Raises:
            InputError: wrong shape, NaN or infinity, no image.
        """
        images = check_array("images", images, (3,))
        side, patch = self.config.side, self.config.patch
        if images.shape[1:] != (side, side):
            raise InputError(f"images must have the shape [n, {side}, {side}], not {list(images.shape)}")
        n, across = len(images), side // patch
        patches = images.reshape(n, across, patch, across, patch).swapaxes(2, 3).reshape(n, -1, patch**2)
        x = self._linear("patch", patches) + self.parameters["position"]
        for layer in range(self.config.layers):
            block = f"layers.{layer}"
            qkv = self._linear(f"{block}.qkv", self._norm(f"{block}.norm1", x))
            q, k, v = qkv.reshape(n, -1, 3, self.config.heads, self.config.head_dim).transpose(2, 0, 3, 1, 4)
            mixed = attention(layer, q, k, v).swapaxes(1, 2).reshape(x.shape)
            x = x + self._linear(f"{block}.out", mixed)
            hidden = np.maximum(self._linear(f"{block}.up", self._norm(f"{block}.norm2", x)), 0)
            x = x + self._linear(f"{block}.down", hidden)
        return self._linear("head", self._norm("norm", x).mean(axis=1))

    def _linear(self, name: str, x: NDArray[np.floating]) -> NDArray[np.float64]:
        return x @ self.parameters[f"{name}.weight"].T + self.parameters[f"{name}.bias"]

    def _norm(self, name: str, x: NDArray[np.floating]) -> NDArray[np.float64]:
        mean_square = np.mean(x * x, axis=-1, keepdims=True)
        return x / np.sqrt(mean_square + NORM_EPSILON) * self.parameters[f"{name}.weight"]
