"""Trained spiking networks in integers: LIF layers around stochastic (or LIF) attention.

Potentials, biases and weights are in units of 2**-FRACTION of the threshold. All layers but the
first add weights of spikes; the first sees pixels as constant currents.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from golden.code import check_range
from golden.errors import InputError
from golden.npz import read_npz
from golden.stochastic.lif import lif_layer

# Fraction bits of weights, biases and potentials; the threshold of every LIF neuron
FRACTION = 6
THRESHOLD = 1 << FRACTION
# Current per coincidence of q, k and v in the LIF attention
LIF_ATTENTION_GAIN = THRESHOLD // 4

Trains = NDArray[np.bool_]
Attention = Callable[[int, Trains, Trains, Trains], Trains]


@dataclass(frozen=True, kw_only=True)
class NetworkShape:
    """Shape of a vision transformer over square images.

    Attributes:
        side, channels: pixels along an edge, colours.
        patch, stride: pixels along an edge of a patch and from patch to patch; patches may overlap.
        width: features per token, heads * head_dim.
        heads: attention heads; divides width.
        depth: blocks.
        hidden: neurons of the feed-forward layer.
        classes: outputs.

    Raises:
        InputError: a field is outside its range or does not fit another.
    """

    side: int
    channels: int
    patch: int
    stride: int
    width: int
    heads: int
    depth: int
    hidden: int
    classes: int = 10

    def __post_init__(self) -> None:
        for name in ("side", "channels", "patch", "stride", "width", "heads", "depth", "hidden", "classes"):
            check_range(f"NetworkShape.{name}", getattr(self, name), 1, 4096)
        if self.width % self.heads:
            raise InputError(f"NetworkShape.heads must divide width ({self.width}), not {self.heads}")
        if self.patch > self.side or (self.side - self.patch) % self.stride:
            raise InputError(
                f"NetworkShape.patch and stride must tile side {self.side}, "
                f"not {self.patch} and {self.stride}"
            )

    @property
    def grid(self) -> int:
        """Patches along an edge."""
        return (self.side - self.patch) // self.stride + 1

    @property
    def tokens(self) -> int:
        return self.grid**2

    @property
    def head_dim(self) -> int:
        return self.width // self.heads

    @property
    def patch_pixels(self) -> int:
        return self.patch**2 * self.channels


# Overlapping patches, nine tokens of sixteen features: one engine serves digits and Fashion-MNIST
SHAPES = {
    "digits": NetworkShape(side=8, channels=1, patch=4, stride=2, width=64, heads=4, depth=2, hidden=128),
    "fashion-mnist": NetworkShape(
        side=28, channels=1, patch=14, stride=7, width=128, heads=8, depth=2, hidden=256
    ),
    "cifar10": NetworkShape(side=32, channels=3, patch=4, stride=4, width=384, heads=6, depth=6, hidden=1536),
}


@dataclass(frozen=True, kw_only=True)
class SpikingNetwork:
    """A trained network in integers.

    Attributes:
        shape: its shape.
        kind: attention, ssa or lif.
        arrays: weights int8 [outputs, inputs], biases int16 [outputs], by layer name, and the
            position of every token, int16 [tokens, width].
    """

    shape: NetworkShape
    kind: str
    arrays: Mapping[str, NDArray[np.integer]]

    def layer(self, name: str, spikes: NDArray[np.generic]) -> NDArray[np.int32]:
        """Currents of a layer for inputs [..., inputs]; sums stay below 2**24, so float32 is exact."""
        weight = self.arrays[f"{name}_weight"].astype(np.float32)
        sums = spikes.astype(np.float32) @ weight.T
        return sums.astype(np.int32) + self.arrays[f"{name}_bias"].astype(np.int32)

    def logits(
        self, images: NDArray[np.uint8], steps: int, attend: Attention | None = None
    ) -> NDArray[np.int64]:
        """Class scores int64 [images, classes]; the largest wins, the lower class on a tie.

        Order: embedding; in each block the residual current spikes, Q, K and V spike, attention,
        its output adds to the current, the current spikes, the feed-forward part adds; at the end
        the current spikes and the spikes are counted.

        Args:
            images: uint8 [images, side, side, channels].
            steps: T.
            attend: the stochastic attention of block b, called with (b, q, k, v), trains bool
                [steps, images * heads, tokens, head_dim]; needed for kind ssa only.
        """
        shape = self.shape
        residual = np.broadcast_to(self.embed(images), (steps, len(images), shape.tokens, shape.width))
        for block in range(shape.depth):
            spikes = lif_layer(residual, THRESHOLD)
            trains = [
                self._heads(lif_layer(self.layer(f"block{block}_{n}", spikes), THRESHOLD)) for n in "qkv"
            ]
            if self.kind == "lif":
                out = lif_attention(*trains)
            else:
                assert attend is not None, "kind ssa needs an engine"
                out = attend(block, *trains)
            residual = residual + self.layer(f"block{block}_o", self._tokens(out))
            spikes = lif_layer(residual, THRESHOLD)
            hidden = lif_layer(self.layer(f"block{block}_up", spikes), THRESHOLD)
            residual = residual + self.layer(f"block{block}_down", hidden)
        counts = lif_layer(residual, THRESHOLD).sum(axis=(0, 2))
        weight, bias = self.arrays["classes_weight"], self.arrays["classes_bias"]
        return counts @ weight.astype(np.int64).T + bias.astype(np.int64) * (steps * shape.tokens)

    def embed(self, images: NDArray[np.uint8]) -> NDArray[np.int32]:
        """Constant input currents [images, tokens, width].

        floor((W @ pixels + 128) / 256) + bias + position.
        """
        sums = (
            patches(images, self.shape).astype(np.float32) @ self.arrays["embed_weight"].astype(np.float32).T
        )
        scaled = (sums.astype(np.int32) + 128) >> 8
        return scaled + self.arrays["embed_bias"].astype(np.int32) + self.arrays["position"].astype(np.int32)

    def _heads(self, trains: NDArray[np.bool_]) -> NDArray[np.bool_]:
        """[steps, images, tokens, width] -> [steps, images * heads, tokens, head_dim]."""
        steps, images, tokens, _ = trains.shape
        split = trains.reshape(steps, images, tokens, self.shape.heads, -1).swapaxes(2, 3)
        return split.reshape(steps, images * self.shape.heads, tokens, -1)

    def _tokens(self, trains: NDArray[np.bool_]) -> NDArray[np.bool_]:
        """The inverse of `_heads`."""
        steps, _, tokens, _ = trains.shape
        split = trains.reshape(steps, -1, self.shape.heads, tokens, self.shape.head_dim).swapaxes(2, 3)
        return split.reshape(steps, -1, tokens, self.shape.width)


def patches(images: NDArray[np.uint8], shape: NetworkShape) -> NDArray[np.uint8]:
    """[images, side, side, channels] -> [images, tokens, patch pixels], pixels by row, column, channel."""
    cells = np.lib.stride_tricks.sliding_window_view(images, (shape.patch, shape.patch), axis=(1, 2))
    cells = cells[:, :: shape.stride, :: shape.stride].transpose(0, 1, 2, 4, 5, 3)
    return cells.reshape(len(images), shape.tokens, shape.patch_pixels)


def lif_attention(q: NDArray[np.bool_], k: NDArray[np.bool_], v: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Attention of LIF neurons, the baseline: their current is LIF_ATTENTION_GAIN * Q K^T V."""
    counts = q.astype(np.float32) @ k.astype(np.float32).swapaxes(-1, -2) @ v.astype(np.float32)
    return lif_layer(counts.astype(np.int32) * LIF_ATTENTION_GAIN, THRESHOLD)


def load_network(path: Path) -> SpikingNetwork:
    """A network from its file.

    Raises:
        InputError: the file cannot be read or is not a network.
    """
    arrays = read_npz(path)
    try:
        sizes = [int(n) for n in arrays.pop("shape")]
        names = (field.name for field in fields(NetworkShape))
        shape = NetworkShape(**dict(zip(names, sizes, strict=True)))
        return SpikingNetwork(shape=shape, kind=str(arrays.pop("kind")), arrays=arrays)
    except (ValueError, KeyError) as error:
        raise InputError(f"{path}: not a network ({error})") from None
