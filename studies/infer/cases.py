"""What `onespike infer` runs: a spiking network and the images that it classifies."""

import math
import zipfile
from collections.abc import Callable
from dataclasses import dataclass, replace
from fractions import Fraction
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from golden.code import PhaseCode, Spikes
from golden.errors import InputError
from golden.network.file import load_network
from golden.network.network import Network, encode_image
from golden.network.rearrange import in_pieces
from models.conversion.network import convert_network
from models.conversion.store import Stored, load
from models.floating.engine import Floats
from models.floating.model import Model
from models.floating.patches import patches
from models.floating.swin import Swin
from models.floating.vit import Vit
from models.shipped.vit_file import FOLDER, load_vit
from studies.data import handwritten_digits as dataset
from studies.data.datasets import load_images
from studies.data.idx import read_part
from studies.infer.inputs import channels_of, inputs_of

DIGITS = "digits"
# Those that come with the project, by the files of their float weights; those of the last are in colour
GREY = {name: f"{name}.npz" for name in (DIGITS, "fashion", "fashion-batchnorm")}
COLOUR = {name: f"float_{name}.npz" for name in ("cifar10", "cifar10-small")}
NETWORKS = GREY | COLOUR
CALIBRATION_IMAGES = 1000
# Through a stem of convolutions an image takes a hundred times as long
COLOUR_CALIBRATION = 300
# of them at a time
BATCH = 50
WHITE = 255.0
Images = NDArray[Any]


@dataclass(frozen=True, eq=False)
class Case:
    """A spiking network with images to calibrate and to test it.

    Attributes:
        name: one of `NETWORKS`, a file or a folder.
        network: the integers.
        floating: what it was converted from; None for a network file.
        samples: makes of images what the float model is given, else the rows of the network.
        calibration: training images, [n, side, side], or [n, side, side, 3] in colour, 0..1.
        images, labels: held-out images like them and their classes [n].
    """

    name: str
    network: Network
    floating: Model | None
    samples: Callable[[Images], Floats]
    calibration: Images
    images: Images
    labels: NDArray[np.integer]

    def spikes(self, images: Images) -> Spikes:
        """Spikes [images, tokens, width]."""
        samples = self.samples(images)
        return encode_image(
            self.network, samples if self.floating is None else self.floating.entering(samples)
        )


def cut_case(case: Case, pieces: int | None) -> Case:
    """A case with hidden layers of at most so many neurons (`golden.network.rearrange`); None for any."""
    return case if pieces is None else replace(case, network=in_pieces(case.network, pieces))


def load_folder(name: str) -> Stored | None:
    """What `onespike convert` wrote into a folder; None for the name of anything else."""
    path = Path(name)
    return load(path) if name not in NETWORKS and path.is_dir() else None


def load_case(
    name: str,
    data: Path | None,
    steps: int | None,
    log2_base: Fraction | None,
    stored: Stored | None = None,
) -> Case:
    """One of `NETWORKS`, what `onespike convert` wrote, or a file: of a network (`golden.network.file`) or of
    trained float weights.

    Args:
        name: one of `NETWORKS`, or a path.
        data: folder with idx files, of a model of images in colour one that holds cifar10/; the
            handwritten digits when absent. A network file does not say which: it is given those in colour if
            there are any.
        steps, log2_base: T and log2 B of the conversion; those of `PhaseCode` when absent.
        stored: what is in a folder of that name; read when absent.

    Raises:
        InputError: data are missing, damaged or of another size than the network's; a bad file; a
            code that is given for a network that has one.
    """
    named, path = name in NETWORKS, Path(name)
    if named and name != DIGITS and data is None:
        wanted = "that holds cifar10/" if name in COLOUR else "with the idx files of Fashion-MNIST"
        raise InputError(f"network {name} needs --data, the folder {wanted}")
    if name == DIGITS and data is not None:
        raise InputError(f"network {name} has its own images, --data must be absent, not {data}")
    if not named and not path.exists():
        raise InputError(f"--network must be one of {', '.join(NETWORKS)}, a file or a folder, not {name!r}")
    weights = FOLDER / NETWORKS[name] if named else path
    if named or holds_weights(path):
        model: Model = load_vit(weights)
        default = PhaseCode()
        code = PhaseCode(
            steps=default.steps if steps is None else steps,
            log2_base=default.log2_base if log2_base is None else log2_base,
        )
        calibration, images, labels = load_splits(data, in_colour(model))
        samples = partial(samples_of, name, model, 0)
        network = converted(model, samples(calibration), code)
        return Case(name, network, model, samples, calibration, images, labels)
    if steps is not None or log2_base is not None:
        raise InputError(f"{name} has its code, --steps and --log2-base must be absent")
    if stored is None and (stored := load_folder(name)) is None:
        network = load_network(path)
        calibration, images, labels = load_splits(data, data is not None and (data / "cifar10").is_dir())
        return Case(name, network, None, grid(network, images, name), calibration, images, labels)
    calibration, images, labels = load_splits(data, in_colour(stored.model))
    network = stored_network(name, stored)
    samples = partial(samples_of, name, stored.model, network.tokens)
    return Case(name, network, stored.model, samples, calibration, images, labels)


def converted(model: Model, samples: Floats, code: PhaseCode) -> Network:
    """Integers of a float network, calibrated on samples."""
    # a stem hands an error in the mean of one map on to the next: integers are learned, too
    learned = isinstance(model, Vit) and model.stem is not None
    batches = np.array_split(samples, -(-len(samples) // BATCH) if learned else 1)
    return convert_network(model, batches, code, learned=learned).network


def stored_network(name: str, stored: Stored) -> Network:
    """The network of a converted folder.

    Raises:
        InputError: it has none.
    """
    if stored.conversion.network is None:
        raise InputError(
            f"{name}: was converted with --parts {stored.conversion.scheme.parts}; "
            "a network is what --parts network makes"
        )
    return stored.conversion.network.network


def samples_of(name: str, model: Model, tokens: int, images: Images) -> Floats:
    """See `inputs_of`; errors begin with the name."""
    try:
        return inputs_of(model, images, tokens)
    except InputError as error:
        raise InputError(f"{name}: {error}") from None


def holds_weights(path: Path) -> bool:
    """Whether a file is a whole .npz without the description that makes it a network file."""
    try:
        with zipfile.ZipFile(path) as file:
            return "description.npy" not in file.namelist()
    except (OSError, zipfile.BadZipFile):
        return False


def in_colour(model: Model) -> bool:
    """Whether a model is given images of three channels."""
    return isinstance(model, Vit | Swin) and channels_of(model) == len("RGB")


def load_splits(data: Path | None, colour: bool) -> tuple[Images, Images, NDArray[np.integer]]:
    """Calibration images, held-out images and labels; see `load_case`."""
    if colour:
        found = load_images("cifar10", data, train=COLOUR_CALIBRATION)
        train, images = (part / np.float32(WHITE) for part in (found.train, found.test))
        return train, images, found.test_labels
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


def grid(network: Network, images: Images, name: str) -> Callable[[Images], Floats]:
    """Square patches from corner to corner that give the network's tokens, whose size and stride a network
    file does not hold.

    Raises:
        InputError: there are none.
    """
    side, channels = images.shape[1], images.shape[3] if images.ndim == 4 else 1
    pixels, odd = divmod(network.width, network.pixel_codes * channels)
    patch, across = math.isqrt(pixels), math.isqrt(network.tokens)
    gaps, room = across - 1, side - patch
    square = not odd and patch**2 == pixels and across**2 == network.tokens
    if not square or room < 0 or (room % gaps or not room if gaps else room):
        raise InputError(
            f"{name}: images must give {network.tokens} patches of {network.width // network.pixel_codes} "
            f"pixels, those of {shape(images)} pixels do not"
        )
    return partial(cut, patch, room // gaps if gaps else 1)


def cut(size: int, stride: int, images: Images) -> Floats:
    """Pixels of patches, [n, patches, channels * size**2]."""
    maps = images[:, None] if images.ndim == 3 else images.transpose(0, 3, 1, 2)
    return patches(maps, size, stride).reshape(len(images), -1, maps.shape[1] * size * size)


def shape(images: NDArray[Any]) -> str:
    return "x".join(map(str, images.shape[1:]))
