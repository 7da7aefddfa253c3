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


def read_part(folder: Path, part: str, classes: int = 256) -> tuple[NDArray[np.uint8], NDArray[np.int64]]:
    """Images [n, height, width] and labels [n] of a data set.

    Args:
        folder: holds PART-images-idx3-ubyte and PART-labels-idx1-ubyte, with or without .gz.
        part: "train" or "t10k".
        classes: labels are 0..classes-1.

    Raises:
        InputError: a file is missing or damaged, or images and labels do not belong together.
    """
    plain = [folder / f"{part}-{kind}-ubyte" for kind in ("images-idx3", "labels-idx1")]
    files = [path if path.exists() else path.with_name(f"{path.name}.gz") for path in plain]
    images, labels = (read_idx(file) for file in files)
    if images.ndim != 3 or not images.size:
        raise InputError(f"{files[0]}: must hold images [n, height, width], not {list(images.shape)}")
    if labels.shape != images.shape[:1] or labels.max() >= classes:
        raise InputError(f"{files[1]}: must hold a label 0..{classes - 1} for each of {len(images)} images")
    return images, labels.astype(np.int64)
