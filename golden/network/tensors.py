"""What the layers of a network hand to each other: shapes and proven bounds, and the tensors of a run.

Names that mean something: "image", the spikes that enter, if any do; "stream", the residual stream, one
integer per token and channel kept in the membrane, which may enter as well; "scores", those that leave.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final, Literal, Protocol

import numpy as np
from numpy.typing import NDArray

from golden.attention.job import AttentionJob, AttentionSpikes
from golden.code import PhaseCode, Spikes

STREAM: Final = "stream"
IMAGE: Final = "image"
SCORES: Final = "scores"
AttentionEngine = Callable[[AttentionJob], AttentionSpikes]
Output = Spikes | NDArray[np.int64]
# What a network begins with: spikes of an image, or the integers of the stream
Entry = Literal["image", "stream"]
ENTRIES = (IMAGE, STREAM)


@dataclass
class Shapes:
    """What is known of tensors before there is an image, over all inputs.

    Attributes:
        code, weight_bits: of the network.
        spikes: (rows, width) by name; stream: the same, None before it is made.
        accumulator, potential, residual: largest magnitudes of accumulators, potentials and the stream.
        stream_bound: largest magnitude of the stream as it stands.
        scores: shape of the class scores that have been made: [classes], or [rows, classes].
    """

    code: PhaseCode
    weight_bits: int
    spikes: dict[str, tuple[int, int]]
    stream: tuple[int, int] | None = None
    accumulator: int = 0
    potential: int = 0
    residual: int = 0
    stream_bound: int = 0
    scores: tuple[int, ...] = ()


@dataclass
class Run:
    """Tensors of some images while the layers run.

    Attributes:
        code: of every spike.
        engine: what computes attention.
        after_sum: what becomes of the stream after each sum.
        spikes: [images, rows, width] by name.
        stream: int64 [images, rows, width]; empty before it is made.
        present: bool [images, rows] by name, "stream" too: rows that are computed; absent where all are.
            The others are silent, and 0 in the stream.
    """

    code: PhaseCode
    engine: AttentionEngine
    after_sum: Callable[[NDArray[np.int64]], NDArray[np.int64]]
    spikes: dict[str, Spikes] = field(default_factory=dict)
    stream: NDArray[np.int64] = field(default_factory=lambda: np.zeros(0, np.int64))
    present: dict[str, NDArray[np.bool_]] = field(default_factory=dict)

    def begin_stream(self, stream: NDArray[np.int64], present: NDArray[np.bool_] | None) -> None:
        """Set the stream anew, 0 where rows are not present."""
        self.present.pop(STREAM, None)
        if present is not None:
            self.present[STREAM] = present
            stream = np.where(present[..., None], stream, 0)
        self.stream = stream

    def enter(self, name: str, spikes: Spikes, present: NDArray[np.bool_] | None) -> Spikes:
        """Keep spikes under a name, those of the rows that are present."""
        self.present.pop(name, None)
        if present is not None:
            self.present[name] = present
            there = present[..., None]
            silent = np.where(there, spikes.phase, np.int8(self.code.steps))
            spikes = Spikes(np.where(there, spikes.sign, np.int8(0)), silent)
        self.spikes[name] = spikes
        return spikes


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

    def first_rows(self, rows: int) -> "Layer":
        """It among so many rows: all that it holds per row, of the first ones."""

    def run(self, run: Run) -> Output:
        """Compute, enter into the tensors and return what it makes."""
