"""Convolutions as rows by index: which rows of its input every output row of a layer reads.

A layer reads, for output row r, the source rows gather[r, 0..taps-1] one after another (-1: nothing
there) and has the weights [outputs, taps * inputs]. Rows are pixels, row by row.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from golden.code import check_range
from golden.errors import InputError


@dataclass(frozen=True, kw_only=True)
class Convolution:
    """A convolution over a square of pixels.

    Attributes:
        outputs: features per pixel that come out.
        kernel: pixels along an edge of what an output pixel sees.
        stride: input pixels from one output pixel to the next.
        padding: pixels of nothing around the input, fewer than `kernel`.

    Raises:
        InputError: a field is outside its range.
    """

    outputs: int
    kernel: int
    stride: int
    padding: int

    def __post_init__(self) -> None:
        for name in ("outputs", "kernel", "stride"):
            check_range(f"Convolution.{name}", getattr(self, name), 1, 4096)
        check_range("Convolution.padding", self.padding, 0, self.kernel - 1)

    @property
    def taps(self) -> int:
        return self.kernel**2

    def across(self, side: int) -> int:
        """Output pixels along an edge of an input of `side` pixels.

        Raises:
            InputError: the kernel is larger than the padded input.
        """
        if self.kernel > side + 2 * self.padding:
            raise InputError(
                f"Convolution.kernel must be at most side + 2 * padding ({side + 2 * self.padding}), "
                f"not {self.kernel}"
            )
        return (side + 2 * self.padding - self.kernel) // self.stride + 1

    def gather(self, side: int) -> NDArray[np.int32]:
        """Source rows int32 [output rows, taps], taps row by row; -1 outside the input."""
        starts = np.arange(self.across(side)) * self.stride - self.padding
        lines = starts[:, None] + np.arange(self.kernel)
        inside = (lines >= 0) & (lines < side)
        y, x = lines[:, None, :, None], lines[None, :, None, :]
        both = inside[:, None, :, None] & inside[None, :, None, :]
        return np.where(both, y * side + x, -1).reshape(-1, self.taps).astype(np.int32)


def gather_rows(rows: NDArray[Any], gather: NDArray[np.int32]) -> NDArray[Any]:
    """What a layer sees: [..., source rows, inputs] -> [..., output rows, taps * inputs], nothing as zero."""
    taken = rows[..., gather, :]
    taken[..., gather < 0, :] = 0
    return taken.reshape(*rows.shape[:-2], len(gather), -1)
