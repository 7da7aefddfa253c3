"""Images through a network core on a board, one by one, to be looked at."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from golden.network.network import run_network
from sim.cores.network.core import NetworkJob
from studies.infer.cases import Case
from studies.infer.cores import check_board
from studies.infer.hardware import NetworkBoard


@dataclass(frozen=True, kw_only=True, eq=False)
class Shown:
    """An image that went through a board.

    Attributes:
        number: of the held-out image.
        image: [side, side], 0..1; label: its class.
        spikes: that entered.
        scores, golden: int64 [classes], of the board and what they must be.
        seconds: from the first byte sent to the last received.
    """

    number: int
    image: NDArray[np.float64]
    label: int
    spikes: int
    scores: NDArray[np.int64]
    golden: NDArray[np.int64]
    seconds: float

    @property
    def found(self) -> int:
        """The class with the largest score."""
        return int(self.scores.argmax())

    @property
    def different(self) -> int:
        """Scores that are not golden's."""
        return int(np.count_nonzero(self.scores != self.golden))

    def to_json(self) -> dict[str, Any]:
        """All but the image itself."""
        numbers = {"number": self.number, "label": self.label, "found": self.found, "spikes": self.spikes}
        scores = {"scores": self.scores.tolist(), "golden": self.golden.tolist()}
        return numbers | scores | {"seconds": round(self.seconds, 3)}


def load(board: NetworkBoard, case: Case, progress: Callable[[int], None]) -> None:
    """Send the network; `progress` is told the bytes that were sent.

    Raises:
        InputError: the network does not fit the board's core.
        LinkError: the board stopped answering.
    """
    check_board(board.config, case.network)
    board.run(NetworkJob(network=case.network, load=True), lambda sent, received: progress(sent))


def show(board: NetworkBoard, case: Case, number: int) -> Shown:
    """A held-out image through a board that holds the network.

    Raises:
        LinkError: the board stopped answering.
    """
    image = case.images[number]
    spikes = case.spikes(image[None])
    begin = time.monotonic()
    (scores,) = board.run(NetworkJob(network=case.network, image=spikes)).scores
    seconds = time.monotonic() - begin
    return Shown(
        number=number,
        image=image,
        label=int(case.labels[number]),
        spikes=spikes.count(),
        scores=scores,
        golden=run_network(case.network, spikes).scores[0],
        seconds=seconds,
    )
