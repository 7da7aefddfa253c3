"""Image data sets as uint8 arrays, read from their usual files.

Handwritten digits come with scikit-learn; Fashion-MNIST is four idx files, CIFAR-10 one archive
`train/CLASS/NNNN.jpg`, `test/CLASS/NNNN.jpg`. Nothing is downloaded.
"""

import gzip
import io
import tarfile
from dataclasses import dataclass
from math import prod
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from golden.errors import InputError, quoted

DATASETS = ("digits", "fashion-mnist", "cifar10")
# The split of the digits: a fifth for testing, classes in equal parts
DIGITS_TEST = 360
DIGITS_SEED = 0


@dataclass(frozen=True, kw_only=True)
class Images:
    """Images and labels of a data set.

    Attributes:
        train, test: uint8 [images, height, width, channels], 0..255.
        train_labels, test_labels: int64 [images].
    """

    train: NDArray[np.uint8]
    train_labels: NDArray[np.int64]
    test: NDArray[np.uint8]
    test_labels: NDArray[np.int64]


def load_images(name: str, folder: Path | None = None) -> Images:
    """Read a data set.

    Args:
        name: digits, fashion-mnist or cifar10.
        folder: where `fashion-mnist/` and `cifar10/` lie; the digits need none.

    Raises:
        InputError: unknown name, no folder, or a file that is missing or not of its format.
    """
    if name == "digits":
        return _digits()
    if name not in DATASETS:
        raise InputError(f"data set must be one of {', '.join(DATASETS)}, not {quoted(name)}")
    if folder is None:
        raise InputError(f"data set {name} needs a folder that holds {name}/, none was given")
    return _fashion(folder / name) if name == "fashion-mnist" else _cifar(folder / name)


def _digits() -> Images:
    from sklearn.datasets import load_digits
    from sklearn.model_selection import train_test_split

    pixels, labels = load_digits(return_X_y=True)
    images = np.minimum(pixels * 16, 255).astype(np.uint8).reshape(-1, 8, 8, 1)
    train, test, train_labels, test_labels = train_test_split(
        images, labels.astype(np.int64), test_size=DIGITS_TEST, random_state=DIGITS_SEED, stratify=labels
    )
    return Images(train=train, train_labels=train_labels, test=test, test_labels=test_labels)


def _read_idx(path: Path, dimensions: int) -> NDArray[np.uint8]:
    try:
        raw = gzip.decompress(path.read_bytes())
    except OSError as error:
        raise InputError(f"{path}: cannot be read ({error.strerror or error})") from None
    head = 4 + 4 * dimensions
    if len(raw) < head or raw[:4] != bytes([0, 0, 8, dimensions]):
        raise InputError(f"{path}: not an idx file of bytes in {dimensions} dimensions")
    shape = tuple(int(n) for n in np.frombuffer(raw, ">u4", dimensions, 4))
    if len(raw) != head + prod(shape):
        raise InputError(f"{path}: must hold {list(shape)} bytes, it holds {len(raw) - head}")
    return np.frombuffer(raw, np.uint8, offset=head).reshape(shape)


def _fashion(folder: Path) -> Images:
    images, labels = (
        [_read_idx(folder / f"{part}-{kind}-ubyte.gz", dimensions) for part in ("train", "t10k")]
        for kind, dimensions in (("images-idx3", 3), ("labels-idx1", 1))
    )
    return Images(
        train=images[0][..., None],
        train_labels=labels[0].astype(np.int64),
        test=images[1][..., None],
        test_labels=labels[1].astype(np.int64),
    )


def _cifar(folder: Path) -> Images:
    from PIL import Image

    path = folder / "cifar10-jpeg.tar.xz"
    pixels: dict[str, list[NDArray[np.uint8]]] = {"train": [], "test": []}
    names: dict[str, list[str]] = {"train": [], "test": []}
    try:
        with tarfile.open(path) as archive:
            for member in archive:
                parts = Path(member.name).parts
                if member.isfile() and len(parts) >= 3 and parts[-3] in pixels and parts[-1].endswith(".jpg"):
                    file = archive.extractfile(member)
                    assert file is not None, "a regular file"
                    pixels[parts[-3]].append(np.asarray(Image.open(io.BytesIO(file.read())).convert("RGB")))
                    names[parts[-3]].append(parts[-2])
    except OSError as error:
        raise InputError(f"{path}: cannot be read ({error.strerror or error})") from None
    except tarfile.TarError as error:
        raise InputError(f"{path}: not an archive of JPEG files ({error})") from None
    classes = sorted(set(names["train"]))
    if not classes or not pixels["test"]:
        raise InputError(f"{path}: must hold train/CLASS/*.jpg and test/CLASS/*.jpg")
    labels = {part: np.array([classes.index(n) for n in names[part]], dtype=np.int64) for part in names}
    return Images(
        train=np.stack(pixels["train"]),
        train_labels=labels["train"],
        test=np.stack(pixels["test"]),
        test_labels=labels["test"],
    )
