"""Trained spiking networks in integers: LIF layers around stochastic (or LIF) attention.

Potentials, biases and weights are in units of 2**-FRACTION of the threshold. All layers but the
first add weights of spikes; the first sees pixels as constant currents. Patches are embedded from
the pixels, or from the spikes of a stem of convolutions.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from golden.code import check_range
from golden.convolution import Convolution, gather_rows
from golden.errors import InputError
from golden.npz import read_npz
from golden.stochastic.lif import lif_layer

# Fraction bits of weights, biases and potentials; the threshold of every LIF neuron
FRACTION = 6
THRESHOLD = 1 << FRACTION
KINDS = ("ssa", "lif")
# Current per coincidence of q, k and v in the LIF attention
LIF_ATTENTION_GAIN = THRESHOLD // 4

# Integers up to here are exact in float32, in which layers are computed
EXACT = 1 << 24
MAX_PATCH_PIXELS = EXACT // (255 * 128)
MAX_INPUTS = EXACT // 128

Trains = NDArray[np.bool_]
Attention = Callable[[int, Trains, Trains, Trains], Trains]
Observer = Callable[[str, Trains], None]


@dataclass(frozen=True, kw_only=True)
class NetworkShape:
    """Shape of a vision transformer over square images.

    Attributes:
        side, channels: pixels along an edge, colours.
        stem: convolutions before the patches, each with LIF neurons behind it; patches are then cut
            from their last map.
        patch, stride: pixels along an edge of a patch and from patch to patch; patches may overlap.
        padding: pixels of nothing around the map that patches are cut from.
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
    padding: int = 0
    stem: tuple[Convolution, ...] = ()

    def __post_init__(self) -> None:
        for name in ("side", "channels", "patch", "stride", "width", "heads", "depth", "hidden", "classes"):
            check_range(f"NetworkShape.{name}", getattr(self, name), 1, 4096)
        if self.width % self.heads:
            raise InputError(f"NetworkShape.heads must divide width ({self.width}), not {self.heads}")
        check_range("NetworkShape.padding", self.padding, 0, self.patch - 1)
        side, inputs, limit = self.side, self.channels, MAX_PATCH_PIXELS
        for layer in self.stem:
            self._check_inputs("stem", layer.taps * inputs, limit)
            side, inputs, limit = layer.across(side), layer.outputs, MAX_INPUTS
        # A stem may leave pixels at the far edge unseen, as convolutions do; patches may not
        if self.patch > side + 2 * self.padding or (
            not self.stem and (side + 2 * self.padding - self.patch) % self.stride
        ):
            raise InputError(
                f"NetworkShape.patch and stride must tile side {side}, not {self.patch} and {self.stride}"
            )
        self._check_inputs("patch", self.patch**2 * inputs, limit)

    def _check_inputs(self, name: str, inputs: int, limit: int) -> None:
        if inputs > limit:
            what = "pixels in all colours" if limit == MAX_PATCH_PIXELS else "inputs"
            raise InputError(f"NetworkShape.{name} must give at most {limit} {what}, not {inputs}")

    @property
    def embedding(self) -> Convolution:
        """The patches as a convolution."""
        return Convolution(outputs=self.width, kernel=self.patch, stride=self.stride, padding=self.padding)

    @property
    def convolutions(self) -> dict[str, tuple[Convolution, int, int]]:
        """Stem and embedding by layer name: (convolution, side of its input, features of its input)."""
        named, side, inputs = {}, self.side, self.channels
        for index, layer in enumerate(self.stem):
            named[f"stem{index}"] = layer, side, inputs
            side, inputs = layer.across(side), layer.outputs
        return named | {"embed": (self.embedding, side, inputs)}

    @property
    def tokens(self) -> int:
        layer, side, _ = self.convolutions["embed"]
        return layer.across(side) ** 2

    @property
    def widest(self) -> int:
        """Numbers that the layer with the most inputs sees of one image in one time step."""
        sizes = [layer.across(side) ** 2 * layer.taps * n for layer, side, n in self.convolutions.values()]
        return max(*sizes, self.tokens * max(self.width, self.hidden))

    @property
    def head_dim(self) -> int:
        return self.width // self.heads

    @property
    def arrays(self) -> dict[str, tuple[type[np.signedinteger], tuple[int, ...]]]:
        """Type and shape of every array of a network."""
        layers = {
            name: (layer.outputs, layer.taps * inputs)
            for name, (layer, _, inputs) in self.convolutions.items()
        }
        layers["classes"] = (self.classes, self.width)
        for block in range(self.depth):
            layers |= {f"block{block}_{name}": (self.width, self.width) for name in "qkvo"}
            layers[f"block{block}_up"] = (self.hidden, self.width)
            layers[f"block{block}_down"] = (self.width, self.hidden)
        arrays: dict[str, tuple[type[np.signedinteger], tuple[int, ...]]] = {
            "position": (np.int16, (self.tokens, self.width))
        }
        for name, size in layers.items():
            arrays |= {f"{name}_weight": (np.int8, size), f"{name}_bias": (np.int16, size[:1])}
        return arrays


def _stem(*layers: tuple[int, int]) -> tuple[Convolution, ...]:
    """3x3 convolutions of (outputs, stride)."""
    return tuple(
        Convolution(outputs=outputs, kernel=3, stride=stride, padding=1) for outputs, stride in layers
    )


# Overlapping patches, nine tokens of sixteen features: one engine serves digits and Fashion-MNIST
SHAPES = {
    "digits": NetworkShape(side=8, channels=1, patch=4, stride=2, width=64, heads=4, depth=2, hidden=128),
    "fashion-mnist": NetworkShape(
        side=28, channels=1, patch=14, stride=7, width=128, heads=8, depth=2, hidden=256
    ),
    # Three convolutions and patches that are the fourth: 16 tokens, heads of 16 features
    "cifar10": NetworkShape(
        side=32, channels=3, stem=_stem((32, 1), (64, 2), (128, 2)),
        patch=3, stride=2, padding=1, width=128, heads=8, depth=3, hidden=256,
    ),
    # Fits the block RAM of an ECP5-85F
    "cifar10-small": NetworkShape(
        side=32, channels=3, stem=_stem((32, 1), (64, 2), (96, 2)),
        patch=3, stride=2, padding=1, width=96, heads=6, depth=2, hidden=160,
    ),
}  # fmt: skip


@dataclass(frozen=True, eq=False, kw_only=True)
class SpikingNetwork:
    """A trained network in integers.

    Attributes:
        shape: its shape.
        kind: attention, ssa or lif.
        arrays: weights int8 [outputs, inputs], biases int16 [outputs], by layer name, and the
            position of every token, int16 [tokens, width].

    Raises:
        InputError: an unknown kind, or arrays that are not those of the shape.
    """

    shape: NetworkShape
    kind: str
    arrays: Mapping[str, NDArray[np.integer]]

    def __post_init__(self) -> None:
        if self.kind not in KINDS:
            raise InputError(f"SpikingNetwork.kind must be {' or '.join(KINDS)}, not {self.kind!r:.40}")
        expected = self.shape.arrays
        for name in self.arrays:
            if name not in expected:
                raise InputError(
                    f"SpikingNetwork.arrays must not hold {name!r:.40}, which the shape has no place for"
                )
        for name, (dtype, size) in expected.items():
            if name not in self.arrays:
                raise InputError(f"SpikingNetwork.arrays must hold {name}, it is absent")
            array = self.arrays[name]
            if array.dtype != dtype or array.shape != size:
                raise InputError(
                    f"SpikingNetwork.arrays: {name} must be {np.dtype(dtype)} {list(size)}, "
                    f"not {array.dtype} {list(array.shape)}"
                )

    def layer(self, name: str, spikes: NDArray[np.generic]) -> NDArray[np.int32]:
        """Currents of a layer for inputs [..., inputs]; sums stay below 2**24, so float32 is exact."""
        weight = self.arrays[f"{name}_weight"].astype(np.float32)
        sums = spikes.astype(np.float32) @ weight.T
        return sums.astype(np.int32) + self.arrays[f"{name}_bias"].astype(np.int32)

    def logits(
        self,
        images: NDArray[np.uint8],
        steps: int,
        attend: Attention | None = None,
        observe: Observer = lambda name, trains: None,
    ) -> NDArray[np.int64]:
        """Class scores int64 [images, classes]; the largest wins, the lower class on a tie.

        Order: stem and embedding; in each block the residual current spikes, Q, K and V spike, attention,
        its output adds to the current, the current spikes, the feed-forward part adds; at the end
        the current spikes and the spikes are counted.

        Args:
            images: uint8 [images, side, side, channels].
            steps: T.
            attend: the stochastic attention of block b, called with (b, q, k, v), trains bool
                [steps, images * heads, tokens, head_dim]; needed for kind ssa only.
            observe: called with the name of a layer and its trains bool [steps, images, rows, features],
                those of the attention of block b as `blockB_attention`. Rows are tokens, in a stem pixels.
        """
        shape = self.shape

        def fire(name: str, current: NDArray[np.int32]) -> Trains:
            trains = lif_layer(current, THRESHOLD)
            observe(name, trains)
            return trains

        residual = self.embed(images, steps, observe)
        spikes = fire("embed", residual)
        for block in range(shape.depth):
            names = [f"block{block}_{n}" for n in "qkv"]
            trains = [self._heads(fire(name, self.layer(name, spikes))) for name in names]
            if self.kind == "lif":
                out = lif_attention(*trains)
            else:
                assert attend is not None, "kind ssa needs an engine"
                out = attend(block, *trains)
            mixed = self._tokens(out)
            observe(f"block{block}_attention", mixed)
            residual = residual + self.layer(f"block{block}_o", mixed)
            spikes = fire(f"block{block}_o", residual)
            hidden = fire(f"block{block}_up", self.layer(f"block{block}_up", spikes))
            residual = residual + self.layer(f"block{block}_down", hidden)
            spikes = fire(f"block{block}_down", residual)
        counts = spikes.sum(axis=(0, 2))
        weight, bias = self.arrays["classes_weight"], self.arrays["classes_bias"]
        return counts @ weight.astype(np.int64).T + bias.astype(np.int64) * (steps * shape.tokens)

    def embed(
        self,
        images: NDArray[np.uint8],
        steps: int,
        observe: Observer = lambda name, trains: None,
    ) -> NDArray[np.int32]:
        """Currents of the tokens, [steps, images, tokens, width].

        The first layer sees pixels and has a constant current, floor((W @ pixels + 128) / 256) + bias;
        each further one sees the spikes of the one before, which `observe` is called with. The position is
        added to the last.
        """
        (first, (layer, side, _)), *others = self.shape.convolutions.items()
        pixels = images.reshape(len(images), -1, self.shape.channels)
        weight = self.arrays[f"{first}_weight"].astype(np.float32)
        sums = gather_rows(pixels, layer.gather(side)).astype(np.float32) @ weight.T
        current = ((sums.astype(np.int32) + 128) >> 8) + self.arrays[f"{first}_bias"].astype(np.int32)
        current = np.broadcast_to(current, (steps, *current.shape))
        before = first
        for name, (layer, side, _) in others:
            trains = lif_layer(current, THRESHOLD)
            observe(before, trains)
            current, before = self.layer(name, gather_rows(trains, layer.gather(side))), name
        return current + self.arrays["position"].astype(np.int32)

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
    for name in ("shape", "kind"):
        if name not in arrays:
            raise InputError(f"{path}: must hold the array {name}, it is absent")
    sizes, kind = arrays.pop("shape"), str(arrays.pop("kind"))
    names = [field.name for field in fields(NetworkShape) if field.name not in ("padding", "stem")]
    if sizes.dtype.kind not in "iu" or sizes.shape != (len(names),):
        raise InputError(f"{path}: shape must be the integers {', '.join(names)}")
    stem = arrays.pop("stem", np.empty((0, 4), np.int64))
    padding = arrays.pop("padding", np.int64(0))
    if stem.dtype.kind not in "iu" or stem.ndim != 2 or stem.shape[1] != 4:
        raise InputError(f"{path}: stem must be rows of the integers outputs, kernel, stride, padding")
    if padding.dtype.kind not in "iu" or padding.shape != ():
        raise InputError(f"{path}: padding must be one integer")
    try:
        shape = NetworkShape(
            **dict(zip(names, sizes.tolist(), strict=True)),
            padding=int(padding),
            stem=tuple(Convolution(outputs=o, kernel=k, stride=s, padding=p) for o, k, s, p in stem.tolist()),
        )
        return SpikingNetwork(shape=shape, kind=kind, arrays=arrays)
    except InputError as error:
        raise InputError(f"{path}: {error}") from None


def network_arrays(network: SpikingNetwork) -> dict[str, NDArray[np.generic]]:
    """What `load_network` reads: shape, kind and all arrays, to be written by `numpy.savez_compressed`."""
    shape = network.shape
    sizes = [getattr(shape, field.name) for field in fields(shape) if field.name not in ("padding", "stem")]
    arrays = {"kind": np.array(network.kind), "shape": np.array(sizes)}
    if shape.stem:
        arrays["stem"] = np.array([[c.outputs, c.kernel, c.stride, c.padding] for c in shape.stem])
    if shape.padding:
        arrays["padding"] = np.array(shape.padding)
    return arrays | dict(network.arrays)
