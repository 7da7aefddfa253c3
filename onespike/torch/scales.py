"""Scales of the heads of a layer: from their largest magnitudes, as golden and a conversion set them."""

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from golden.attention.job import HeadScales
from golden.attention.normaliser import bounded_output_scale
from golden.errors import InputError
from golden.inputs import check_scale
from onespike.torch.inputs import Call
from onespike.torch.job import blocks, heads_of


@dataclass
class Ranges:
    """What calibration saw of a layer.

    Attributes:
        largest: magnitudes of q, k, v and the exact output of each head, float64 [4, heads].
        batches: number of calls.
    """

    largest: NDArray[np.float64]
    batches: int = 0

    def widen(self, largest: NDArray[np.float64]) -> None:
        """Take another call into account."""
        self.largest = np.where(largest > self.largest, largest, self.largest)
        self.batches += 1


def survey(call: Call, steps: int) -> tuple[NDArray[np.float64], Tensor]:
    """Of every head of every sample: largest magnitudes as in `Ranges`, and exact softmax attention.

    Returns:
        float64 [4, samples * heads], and [samples * heads, queries, values].
    """
    largest, outputs = [], []
    for block in blocks(call, steps):
        heads = heads_of(call, block)
        exact = heads.exact()
        parts = (heads.q, heads.k, heads.v, exact)
        largest.append(torch.stack([part.abs().amax(dim=(-1, -2)) for part in parts]))
        outputs.append(exact)
    return torch.cat(largest, dim=1).cpu().numpy(), torch.cat(outputs)


def scales_of(largest: NDArray[np.float64]) -> HeadScales:
    """Scales of heads from their largest magnitudes [4, heads].

    Raises:
        InputError: a magnitude too small for a scale.
    """
    q, k, v, o = np.where(largest > 0, largest, 1.0)
    for name, scale in (("q", q), ("k", k), ("v", v)):
        check_scale(f"scale_{name}", scale, len(scale))
    return HeadScales(q=q, k=k, v=v, o=bounded_output_scale(o, v))


def of_block(scales: HeadScales, block: slice) -> HeadScales:
    """Scales of a block of the heads of all samples, from those of all of them or of one sample."""
    number = np.arange(block.start, block.stop)
    return HeadScales(**{name: scale[number % len(scale)] for name, scale in vars(scales).items()})


def check_given(layer: str, scales: HeadScales, heads: int) -> None:
    """Raise InputError unless given scales are usable for this number of heads."""
    for name, scale in vars(scales).items():
        try:
            check_scale(f"scale_{name}", scale, heads)
        except InputError as error:
            raise InputError(f"scales of {layer}: {error}") from None
        if np.shape(scale) != (heads,):
            raise InputError(
                f"scales of {layer}: scale_{name} must have the shape [{heads}], not {list(np.shape(scale))}"
            )
