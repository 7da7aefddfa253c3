"""The paper's residual: the stream coded as one spike per channel after every sum.

Kept beside the residual that stays in the membrane as an integer, to compare the two; the hardware
has the integer one.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from golden.code import PhaseCode, Spikes, decode, encode
from golden.errors import InputError
from golden.network.network import Network, run_network


@dataclass(frozen=True, eq=False)
class Recoder:
    """Replaces the stream by what its one-spike codes stand for, rounded to stream units.

    Attributes:
        code: the code.
        scale: float64 [width], value of a spike of phase 0 per channel, in stream units.
    """

    code: PhaseCode
    scale: NDArray[np.float64]

    def __call__(self, stream: NDArray[np.int64]) -> NDArray[np.int64]:
        spikes = encode(stream, self.scale, self.code)
        return np.floor(decode(spikes, self.scale, self.code) + 0.5).astype(np.int64)


def calibrated_recoder(network: Network, image: Spikes) -> Recoder:
    """Scales from the largest stream magnitudes of images [images, tokens, pixels].

    Raises:
        InputError: the stream changes its width.
    """
    largest: NDArray[np.int64] | None = None

    def observe(stream: NDArray[np.int64]) -> NDArray[np.int64]:
        nonlocal largest
        found = np.abs(stream).max(axis=(0, 1))
        if largest is not None and largest.shape != found.shape:
            raise InputError(
                f"a stream that is coded again must keep its {len(largest)} channels, not {len(found)}"
            )
        largest = found if largest is None else np.maximum(largest, found)
        return stream

    run_network(network, image, after_sum=observe)
    assert largest is not None
    return Recoder(network.code, np.maximum(largest, 1).astype(np.float64))
