"""Images as grids of patches: the convolution at the entrance of vision transformers is a dense layer."""

import numpy as np

from golden.errors import InputError
from models.floating.engine import Floats


def patches(images: Floats, size: int, stride: int) -> Floats:
    """Pixels of each patch, channel by channel as in a convolution kernel.

    Args:
        images: [batch, channels, height, width].
        size: pixels per side of a patch.
        stride: pixels from a patch to the next.

    Returns:
        [batch, rows, columns, channels*size*size].

    Raises:
        InputError: patches do not cover the image from edge to edge.
    """
    height, width = images.shape[2:]
    if min(height, width) < size or (height - size) % stride or (width - size) % stride:
        every = "" if stride == size else f" every {stride} pixels"
        raise InputError(
            f"images must be a whole number of {size}-pixel patches{every}, not {height} x {width}"
        )
    windows = np.lib.stride_tricks.sliding_window_view(images, (size, size), axis=(2, 3))
    windows = windows[:, :, ::stride, ::stride]
    grid = windows.transpose(0, 2, 3, 1, 4, 5)
    return grid.reshape(*grid.shape[:3], -1)
