"""What the layers of a network hand to each other: shapes and proven bounds, and the tensors of a run.

Names that mean something: "image", the spikes that enter; "stream", the residual stream, one integer
per token and channel kept in the membrane; "scores", the class scores that leave.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from golden.attention.job import AttentionJob, AttentionSpikes
from golden.code import PhaseCode, Spikes

STREAM, SCORES, IMAGE = "stream", "scores", "image"
AttentionEngine = Callable[[AttentionJob], AttentionSpikes]
Output = Spikes | NDArray[np.int64]


@dataclass
class Shapes:
    """What is known of tensors before there is an image, over all inputs.

    Attributes:
        code, weight_bits: of the network.
        spikes: (rows, width) by name; stream: the same, None before the first layer that makes it.
        accumulator, potential, residual: largest magnitudes of accumulators, potentials and the stream.
        classes: class scores that have been made.
    """

    code: PhaseCode
    weight_bits: int
    spikes: dict[str, tuple[int, int]]
    stream: tuple[int, int] | None = None
    accumulator: int = 0
    potential: int = 0
    residual: int = 0
    classes: int = 0


@dataclass
class Run:
    """Tensors of some images while the layers run.

    Attributes:
        code: of every spike.
        engine: what computes attention.
        after_sum: what becomes of the stream after each sum.
        spikes: [images, tokens, width] by name.
        stream: int64 [images, tokens, width]; empty before the first layer that makes it.
    """

    code: PhaseCode
    engine: AttentionEngine
    after_sum: Callable[[NDArray[np.int64]], NDArray[np.int64]]
    spikes: dict[str, Spikes]
    stream: NDArray[np.int64] = field(default_factory=lambda: np.zeros(0, np.int64))


class Layer(Protocol):
    """A layer of a network: what a file, a check and a run need of it. It is a frozen dataclass."""

    @property
    def source(self) -> str:
        """Name of what it reads."""

    @property
    def target(self) -> str:
        """Name of what it makes."""

    def check(self, name: str, shapes: Shapes) -> None:
        """Enter what it makes into the shapes.

        Raises:
            InputError: it does not connect, or an integer is out of range; `name` says which layer.
        """

    def run(self, run: Run) -> Output:
        """Compute, enter into the tensors and return what it makes."""
