"""Image data in the standard idx format (Fashion-MNIST, MNIST)."""

import gzip
import zlib
from math import prod
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from golden.errors import InputError


def read_idx(path: Path) -> NDArray[np.uint8]:
    """Array of an idx file of bytes, gz or plain.

    Raises:
        InputError: the file cannot be read, is truncated or no idx file of bytes.
    """
    try:
        raw = path.read_bytes()
    except OSError as error:
        raise InputError(f"{path}: cannot be read ({error.strerror})") from None
    try:
        if raw[:2] == b"\x1f\x8b":
            raw = gzip.decompress(raw)
    except (EOFError, zlib.error, gzip.BadGzipFile):
        raise InputError(f"{path}: must be a whole gz file, it is damaged or cut short") from None
    if raw[:3] != b"\0\0\x08" or len(raw) < 4 or len(raw) < 4 + 4 * raw[3]:
        raise InputError(f"{path}: must be an idx file of bytes")
    shape = tuple(int(n) for n in np.frombuffer(raw, ">u4", raw[3], 4))
    body = np.frombuffer(raw, np.uint8, offset=4 + 4 * raw[3])
    if len(body) != prod(shape):
        raise InputError(f"{path}: must hold {prod(shape)} bytes of data, not {len(body)}")
    return body.reshape(shape)


def load_images(directory: Path, part: str) -> tuple[NDArray[np.float64], NDArray[np.uint8]]:
    """Images [n, side, side] scaled to 0..1 and labels [n].

    Args:
        directory: holds PART-images-idx3-ubyte and PART-labels-idx1-ubyte, with or without .gz.
        part: "train" or "t10k".

    Raises:
        InputError: a file is missing or damaged, or images and labels do not belong together.
    """
    arrays = []
    for kind in ("images-idx3", "labels-idx1"):
        plain = directory / f"{part}-{kind}-ubyte"
        packed = plain.with_name(plain.name + ".gz")
        arrays.append(read_idx(plain if plain.exists() else packed))
    images, labels = arrays
    if images.ndim != 3 or labels.ndim != 1 or len(images) != len(labels):
        raise InputError(
            f"{directory}: {part} must hold as many images as labels, "
            f"not {list(images.shape)} and {list(labels.shape)}"
        )
    return images / 255.0, labels
