"""Image data sets as uint8 arrays, read from their usual files.

Handwritten digits come with scikit-learn and are split as for the main job
(`studies.data.handwritten_digits`); Fashion-MNIST is four idx files, CIFAR-10 one archive
`train/CLASS/NNNN.jpg`, `test/CLASS/NNNN.jpg`. Nothing is downloaded.
"""

import io
import tarfile
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from golden.errors import InputError, quoted
from studies.data.idx import read_part

DATASETS = ("digits", "fashion-mnist", "cifar10")
CLASSES = 10


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


def load_images(name: str, folder: Path | None = None, train: int | None = None) -> Images:
    """Read a data set.

    Args:
        name: digits, fashion-mnist or cifar10.
        folder: where `fashion-mnist/` and `cifar10/` lie; the digits need none.
        train: of CIFAR-10, how many training images, as many of each class; all of them when absent. To
            decode them is most of the time.

    Raises:
        InputError: unknown name, no folder, or a file that is missing or not of its format.
    """
    if name == "digits":
        return _digits()
    if name not in DATASETS:
        raise InputError(f"data set must be one of {', '.join(DATASETS)}, not {quoted(name)}")
    if folder is None:
        raise InputError(f"data set {name} needs a folder that holds {name}/, none was given")
    return _fashion(folder / name) if name == "fashion-mnist" else _cifar(folder / name, train)


def _digits() -> Images:
    # Here, because only the digits need scikit-learn
    from studies.data.handwritten_digits import load

    data = load()
    train, test = (
        np.minimum(part * 256, 255).astype(np.uint8)[..., None]
        for part in (data.train_images, data.test_images)
    )
    return Images(train=train, train_labels=data.train_labels, test=test, test_labels=data.test_labels)


def _fashion(folder: Path) -> Images:
    train, train_labels = read_part(folder, "train", CLASSES)
    test, test_labels = read_part(folder, "t10k", CLASSES)
    if train.shape[1:] != test.shape[1:]:
        sizes = f"{list(train.shape[1:])} and {list(test.shape[1:])}"
        raise InputError(f"{folder}: must hold images of one size, not {sizes}")
    return Images(
        train=train[..., None], train_labels=train_labels, test=test[..., None], test_labels=test_labels
    )


def _cifar(folder: Path, train: int | None) -> Images:
    path = folder / "cifar10-jpeg.tar.xz"
    files: dict[str, list[tuple[str, bytes]]] = {"train": [], "test": []}
    try:
        with tarfile.open(path) as archive:
            for member in archive:
                parts = Path(member.name).parts
                if member.isfile() and len(parts) >= 3 and parts[-3] in files and parts[-1].endswith(".jpg"):
                    file = archive.extractfile(member)
                    assert file is not None, "a regular file"
                    files[parts[-3]].append((parts[-2], file.read()))
        classes = sorted({name for name, _ in files["train"]})
        # By class as they are stored the first images would all be of one
        files["test"] = _by_turns(files["test"])
        if train is not None:
            files["train"] = _by_turns(files["train"])[:train]
        pixels = {part: [_pixels(image) for _, image in found] for part, found in files.items()}
    except FileNotFoundError as error:
        raise InputError(f"{path}: cannot be read ({error.strerror})") from None
    except Exception as error:  # tarfile, lzma and Pillow raise a dozen types on damaged files
        raise InputError(f"{path}: must be a whole archive of JPEG files ({error})") from None
    if not classes or {name for name, _ in files["test"]} != set(classes):
        raise InputError(f"{path}: must hold train/CLASS/*.jpg and test/CLASS/*.jpg of the same classes")
    if len({image.shape for part in pixels.values() for image in part}) > 1:
        raise InputError(f"{path}: must hold images of one size")
    train_set, test = (
        (np.stack(pixels[part]), np.array([classes.index(n) for n, _ in files[part]], dtype=np.int64))
        for part in ("train", "test")
    )
    return Images(train=train_set[0], train_labels=train_set[1], test=test[0], test_labels=test[1])


def _pixels(image: bytes) -> NDArray[np.uint8]:
    from PIL import Image

    return np.asarray(Image.open(io.BytesIO(image)).convert("RGB"))


def _by_turns(files: list[tuple[str, bytes]]) -> list[tuple[str, bytes]]:
    """Files of each class in their order, the classes taking turns."""
    place: Counter[str] = Counter()
    turns = []
    for name, image in files:
        turns.append((place[name], name, image))
        place[name] += 1
    return [(name, image) for _, name, image in sorted(turns, key=lambda turn: turn[:2])]
