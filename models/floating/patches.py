"""Images as grids of patches: the non-overlapping convolution of vision transformers is a dense layer."""

from golden.errors import InputError
from models.floating.engine import Floats


def patches(images: Floats, size: int) -> Floats:
    """Pixels of each patch, channel by channel as in a convolution kernel.

    Args:
        images: [batch, channels, height, width].
        size: pixels per side of a patch.

    Returns:
        [batch, rows, columns, channels*size*size].

    Raises:
        InputError: the image is no whole number of patches.
    """
    batch, channels, height, width = images.shape
    if height % size or width % size:
        raise InputError(f"images must be a whole number of {size}-pixel patches, not {height} x {width}")
    grid = images.reshape(batch, channels, height // size, size, width // size, size)
    return grid.transpose(0, 2, 4, 1, 3, 5).reshape(batch, height // size, width // size, -1)
