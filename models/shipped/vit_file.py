"""Files of the small vision transformers that come with the project, as its training scripts write them.

An .npz: `side`, `patch`, `stride` in pixels and `heads`; `norm_kind`, a key of `NORMS`; `activation`;
"embed.weight" [width, pixels], "embed.bias", "position" [tokens, width], "blocks.I.{norm1,norm2}.weight" (and
".bias"), "blocks.I.{qkv,proj,up,down}.{weight,bias}", "norm.weight", "head.weight", "head.bias"; and, if any,
`training`: what training recorded (seeds, accuracy), as JSON. Behind a stem: `channels` of the images, `stem`
[layers, 4], the outputs, kernel, stride and padding of its convolutions, `padding` of the patches, and
"stem.I.{weight,bias}", weights [outputs, taps * inputs], those of "embed" likewise. Matrices may be 8-bit
integers (`models.shipped.eight_bits`).
"""

import json
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from golden.code import check_range
from golden.convolution import Convolution
from golden.errors import InputError, quoted
from golden.inputs import check_array
from golden.npz import read_npz
from models.floating.encoder import Block
from models.floating.engine import Linear
from models.floating.functions import ACTIVATIONS, Norm
from models.floating.vit import Stem, Vit
from models.shipped.eight_bits import from_eight_bits, to_eight_bits

FOLDER = Path(__file__).parent / "weights"
MAX_SIDE = 4096
SIZES = ("side", "patch", "stride", "heads")
TRAINING, STEM = "training", "stem"
# Kind and epsilon of the norms by their name in a file
NORMS: dict[str, tuple[Any, float]] = {
    "rms": ("rms", 1e-6),
    "layer": ("layer", 1e-5),
    "batch": ("fixed", 0.0),
}
Arrays = dict[str, NDArray[Any]]


def save_vit(
    path: Path, arrays: Arrays, *, training: dict[str, Any] | None = None, small: bool = False,
    **facts: int | str | list[list[int]],
) -> None:  # fmt: skip
    """Write trained arrays as float32, matrices in 8 bits where `small`, beside sizes and names; see the head
    of this file."""
    stored: Arrays = {name: np.asarray(value, dtype=np.float32) for name, value in arrays.items()}
    stored = to_eight_bits(stored) if small else stored
    stored |= {name: np.array(value) for name, value in facts.items()}
    if training is not None:
        stored[TRAINING] = np.array(json.dumps(training))
    np.savez_compressed(path, allow_pickle=False, **stored)


def load_vit(path: Path) -> Vit:
    """Read a network.

    Raises:
        InputError: the file cannot be read, is truncated, lacks an array, holds an unknown one, or one of a
            wrong shape, with NaN or infinity.
    """
    arrays = read_npz(path)
    arrays.pop(TRAINING, None)
    try:
        return vit_of(arrays)
    except InputError as error:
        raise InputError(f"{path}: {error}") from None


def load_training(path: Path) -> dict[str, Any]:
    """What training recorded; empty where a file does not say.

    Raises:
        InputError: unreadable.
    """
    text = read_npz(path).get(TRAINING)
    try:
        return {} if text is None else dict(json.loads(str(text)))
    except (TypeError, ValueError, RecursionError) as error:
        raise InputError(f"{path}: {TRAINING} must be a table in JSON ({error})") from None


def vit_of(arrays: Arrays) -> Vit:
    """The network that the arrays of a file make, in float64.

    Raises:
        InputError: as `load_vit`.
    """
    if "shape" in arrays:
        raise InputError("holds a stochastic network, which onespike stochastic demo runs")
    taken = _Taken(from_eight_bits(arrays))
    side, patch, stride, heads = (taken.whole(name) for name in SIZES)
    norm_kind, activation = taken.text("norm_kind", NORMS), taken.text("activation", ACTIVATIONS)
    check_range("side", side, 1, MAX_SIDE)
    check_range("patch", patch, 1, side)
    check_range("stride", stride, 1, side)
    stemmed = STEM in arrays
    if not stemmed and (side - patch) % stride:
        raise InputError(f"stride must divide side - patch ({side - patch}), not be {stride}")

    def dense(name: str, outputs: int | None, inputs: int) -> Linear:
        bias = taken.array(f"{name}.bias", outputs)
        return Linear(weight=taken.array(f"{name}.weight", bias.size, inputs), bias=bias)

    layers, reads, map_side = list[Linear](), patch**2, side
    convolutions = taken.convolutions() if stemmed else []
    if stemmed:
        reads = taken.whole("channels")
        check_range("channels", reads, 1, MAX_SIDE)
        for index, convolution in enumerate(convolutions):
            layers.append(dense(f"stem.{index}", convolution.outputs, convolution.taps * reads))
            map_side, reads = convolution.across(map_side), convolution.outputs
        reads *= patch**2
    embedding = dense("embed", None, reads)
    width = len(embedding.weight)
    check_range("heads", heads, 1, width)
    if width % heads:
        raise InputError(f"heads must divide the width ({width}), not {heads}")

    def norm(name: str) -> Norm:
        kind, epsilon = NORMS[norm_kind]
        weight = taken.array(f"{name}.weight", width)
        bias = taken.array(f"{name}.bias", width) if f"{name}.bias" in arrays else np.zeros(width)
        return Norm(weight=weight, bias=bias, epsilon=epsilon, kind=kind)

    def block(index: int) -> Block:
        name = f"blocks.{index}"
        qkv, up = dense(f"{name}.qkv", 3 * width, width), dense(f"{name}.up", None, width)
        assert qkv.bias is not None
        query, key, value = (
            Linear(weight=weight, bias=bias)
            for weight, bias in zip(np.split(qkv.weight, 3), np.split(qkv.bias, 3), strict=True)
        )
        return Block(
            heads=heads,
            norm_first=True,
            activation=activation,
            query=query,
            key=key,
            value=value,
            projection=dense(f"{name}.proj", width, width),
            mlp1=up,
            mlp2=dense(f"{name}.down", width, len(up.weight)),
            norm1=norm(f"{name}.norm1"),
            norm2=norm(f"{name}.norm2"),
        )

    padding = taken.whole("padding") if stemmed else 0
    cut = Convolution(outputs=width, kernel=patch, stride=stride, padding=padding)
    across = cut.across(map_side)
    vit = Vit(
        patch=patch,
        stride=stride,
        embedding=embedding,
        first=np.zeros((0, width)),
        positions=taken.array("position", across**2, width),
        blocks=[block(index) for index in range(sum(name.endswith("qkv.weight") for name in arrays))],
        norm=norm("norm"),
        head=dense("head", None, width),
        pooling="mean",
        pool_first=False,
        stem=Stem(side=side, convolutions=(*convolutions, cut), layers=tuple(layers)) if stemmed else None,
    )
    taken.settle()
    return vit


class _Taken:
    """Arrays of a file, each taken once."""

    def __init__(self, arrays: Arrays) -> None:
        self.arrays = arrays

    def _take(self, name: str) -> NDArray[Any]:
        if name not in self.arrays:
            raise InputError(f"must hold the array {name}")
        return self.arrays.pop(name)

    def whole(self, name: str) -> int:
        value = self._take(name)
        if value.shape != () or value.dtype.kind not in "iu":
            raise InputError(f"{name} must be an integer, not {quoted(value.tolist())}")
        return int(value)

    def convolutions(self) -> list[Convolution]:
        value = self._take(STEM)
        if value.dtype.kind not in "iu" or value.ndim != 2 or value.shape[1] != 4 or not len(value):
            raise InputError(f"{STEM} must be rows of the integers outputs, kernel, stride, padding")
        return [Convolution(outputs=o, kernel=k, stride=s, padding=p) for o, k, s, p in value.tolist()]

    def text(self, name: str, known: dict[str, Any]) -> str:
        value = str(self._take(name))
        if value not in known:
            raise InputError(f"{name} must be one of {', '.join(known)}, not {quoted(value)}")
        return value

    def array(self, name: str, *shape: int | None) -> NDArray[np.float64]:
        """float64 of this shape; None stands for any size."""
        value = check_array(name, self._take(name), (1, 2))
        fits = value.ndim == len(shape) and all(
            s in (None, v) for s, v in zip(shape, value.shape, strict=True)
        )
        if not fits:
            wanted = ", ".join("any" if size is None else str(size) for size in shape)
            raise InputError(f"{name} must have the shape [{wanted}], not {list(value.shape)}")
        return value

    def settle(self) -> None:
        if self.arrays:
            raise InputError(f"the array {quoted(min(self.arrays))} must not be there")
