"""Images through a network core on a board beside golden."""

import time
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from golden.code import Spikes
from golden.network.config import NetworkConfig
from golden.network.network import Network, run_network
from sim.board.board import Board
from sim.cores.network.core import NetworkJob
from studies.infer.evaluate import RTL_BATCH, Progress

NetworkBoard = Board[NetworkConfig, NetworkJob, NDArray[np.int64]]


@dataclass(frozen=True, kw_only=True)
class BoardImages:
    """Images that went through a board.

    Attributes:
        images, correct: how many, and how many of them the board's scores put in the right class.
        compared, different: class scores, beside golden.
        load_seconds: for the network; seconds: per image, the line included.
        failures: one line per batch with a difference; empty when all is equal.
    """

    images: int
    correct: int
    compared: int
    different: int
    load_seconds: float
    seconds: float
    failures: list[str]


def through_board(
    board: NetworkBoard, network: Network, image: Spikes, labels: NDArray[np.integer], progress: Progress
) -> BoardImages:
    """Load a network and run images [images, tokens, pixels] on a board.

    Raises:
        InputError: the network does not fit the board's core.
        LinkError: the board stopped answering.
    """
    images = image.shape[0]
    begin = time.monotonic()
    board.run(
        NetworkJob(network=network, load=True),
        lambda sent, received: progress(f"load the board, {sent} bytes", 0.0),
    )
    loaded = time.monotonic()
    correct = compared = different = 0
    failures: list[str] = []
    for low in range(0, images, RTL_BATCH):
        part = image[low : low + RTL_BATCH]
        scores, wanted = board.run(NetworkJob(network=network, image=part)), run_network(network, part).scores
        unequal = np.argwhere(scores != wanted)
        correct += int((scores.argmax(-1) == labels[low : low + RTL_BATCH]).sum())
        compared, different = compared + scores.size, different + len(unequal)
        if len(unequal):
            place, neuron = unequal[0]
            failures.append(
                f"image {low + place}, class {neuron}: {scores[place, neuron]} on the board "
                f"instead of {wanted[place, neuron]}"
            )
        done = low + part.shape[0]
        progress(f"{done} of {images} images on the board, {different} scores differ", done / images)
    return BoardImages(
        images=images,
        correct=correct,
        compared=compared,
        different=different,
        load_seconds=loaded - begin,
        seconds=(time.monotonic() - loaded) / images,
        failures=failures,
    )
