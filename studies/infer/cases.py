"""What `onespike infer` runs: a spiking network and the images that it classifies."""

import math
import zipfile
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from golden.code import PhaseCode, Spikes
from golden.errors import InputError
from golden.network.file import load_network
from golden.network.network import Network, encode_image
from models.conversion.network import convert_network
from models.floating.patches import patches
from models.floating.vit import Vit
from models.shipped.vit_file import FOLDER, load_vit
from studies.data import handwritten_digits as dataset
from studies.data.idx import read_part

DIGITS = "digits"
NETWORKS = (DIGITS, "fashion", "fashion-batchnorm")
CALIBRATION_IMAGES = 1000
WHITE = 255.0  # of idx files
Images = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Case:
    """A spiking network with images to calibrate and to test it.

    Attributes:
        name: one of `NETWORKS`, or a file.
        network: the integers.
        floating: what it was converted from; None for a network file.
        patch, stride: how an image is cut into tokens, pixels.
        calibration: the first training images, [n, side, side], 0..1.
        images, labels: held-out images [n, side, side] and their classes [n].
    """

    name: str
    network: Network
    floating: Vit | None
    patch: int
    stride: int
    calibration: Images
    images: Images
    labels: NDArray[np.integer]

    def spikes(self, images: Images) -> Spikes:
        """Spikes [images, tokens, pixels]."""
        pixels = patches(images[:, None], self.patch, self.stride)
        return encode_image(self.network, pixels.reshape(len(images), -1, pixels.shape[-1]))


def load_case(name: str, data: Path | None, steps: int | None, log2_base: Fraction | None) -> Case:
    """One of `NETWORKS`, or a file: of a network (`golden.network.file`) or of trained float weights.

    Args:
        name: one of `NETWORKS`, or a path.
        data: folder with idx files; the handwritten digits when absent.
        steps, log2_base: T and log2 B of the conversion; those of `PhaseCode` when absent.

    Raises:
        InputError: data are missing, damaged or of another size than the network's; a bad file; a
            code that is given for a network file, which has one.
    """
    named = name in NETWORKS
    if named and name != DIGITS and data is None:
        raise InputError(f"network {name} needs --data, the folder with the idx files of Fashion-MNIST")
    if name == DIGITS and data is not None:
        raise InputError(f"network {name} has its own images, --data must be absent, not {data}")
    default = PhaseCode()
    code = PhaseCode(
        steps=default.steps if steps is None else steps,
        log2_base=default.log2_base if log2_base is None else log2_base,
    )
    floating: Vit | None = None
    network: Network | None = None
    if named:
        floating = load_vit(FOLDER / f"{name}.npz")
    elif not Path(name).exists():
        raise InputError(f"--network must be one of {', '.join(NETWORKS)} or a file, not {name!r}")
    elif holds_weights(Path(name)):
        floating = load_vit(Path(name))
    else:
        network = load_network(Path(name))
        if steps is not None or log2_base is not None:
            raise InputError(f"{name} has its code, --steps and --log2-base must be absent")
    calibration, images, labels = load_splits(data)
    if floating is not None:
        patch, stride, side = floating.patch, floating.stride, floating.side
        if images.shape[1:] != (side, side):
            raise InputError(f"images must be {side}x{side} pixels for {name}, not {shape(images)}")
        network = convert_network(floating, [calibration[:, None]], code).network
    else:
        assert network is not None
        patch, stride = grid(network, images, name)
    return Case(name, network, floating, patch, stride, calibration, images, labels)


def holds_weights(path: Path) -> bool:
    """Whether a file is a whole .npz without the description that makes it a network file."""
    try:
        with zipfile.ZipFile(path) as file:
            return "description.npy" not in file.namelist()
    except (OSError, zipfile.BadZipFile):
        return False


def load_splits(data: Path | None) -> tuple[Images, Images, NDArray[np.integer]]:
    """Calibration images, held-out images and labels; see `load_case`."""
    if data is None:
        digits = dataset.load()
        train, images = (np.asarray(a, np.float64) for a in (digits.train_images, digits.test_images))
        return train[:CALIBRATION_IMAGES], images, digits.test_labels
    pixels, _ = read_part(data, "train")
    held_out, labels = read_part(data, "t10k")
    for part in (pixels, held_out):
        if part.shape[1] != part.shape[2]:
            raise InputError(f"{data}: images must be square, not {shape(part)}")
    return pixels[:CALIBRATION_IMAGES] / WHITE, held_out / WHITE, labels


def grid(network: Network, images: Images, name: str) -> tuple[int, int]:
    """Patch and stride, in pixels, with which square patches from corner to corner give the network's
    tokens; a network file does not hold them.

    Raises:
        InputError: there are none.
    """
    side, patch, across = images.shape[-1], math.isqrt(network.width), math.isqrt(network.tokens)
    gaps, room = across - 1, side - patch
    square = patch**2 == network.width and across**2 == network.tokens
    if not square or room < 0 or (room % gaps or not room if gaps else room):
        raise InputError(
            f"{name}: images must give {network.tokens} patches of {network.width} pixels, "
            f"those of {shape(images)} pixels do not"
        )
    return patch, room // gaps if gaps else 1


def shape(images: NDArray[Any]) -> str:
    return "x".join(map(str, images.shape[1:]))
