"""Images or sentences through a network core, in the RTL or on a board, beside golden and the cycle model."""

import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from golden.network.config import NetworkConfig
from sim.board.board import Board
from sim.cores.core import Core
from sim.cores.network.core import NetworkJob, WholeNetworkCore
from sim.cores.network.neurons import NetworkIntegers
from studies.infer.evaluate import Progress

BATCH = 10
NetworkBoard = Board[NetworkConfig, NetworkJob, NetworkIntegers]


@dataclass(kw_only=True)
class HardwareImages:
    """Images that went through hardware.

    Attributes:
        images: how many.
        correct: how many of them the scores put in the right class; None where they have no class.
        compared, different: integers, beside golden: of all layers in the RTL, class scores on a board.
        seconds: per image: of simulation, or with the line included.
        failures: one line per batch and kind of difference; empty when all is equal.
    """

    images: int
    correct: int | None = None
    compared: int = 0
    different: int = 0
    seconds: float = 0.0
    failures: list[str] = field(default_factory=list)

    def feed(
        self,
        core: Core[NetworkConfig, NetworkJob, NetworkIntegers],
        job: NetworkJob,
        run: Callable[[NetworkJob, str], NetworkIntegers],
        tell: Callable[[str, float], None],
    ) -> NDArray[np.int64]:
        """Run all images of a job in batches.

        Args:
            core: that ran.
            run: the hardware; also told what to call the batch.
            tell: told what is done and the share of it.

        Returns:
            Scores [images, ...].
        """
        assert job.image is not None
        scores = []
        for low in range(0, self.images, BATCH):
            batch = slice(low, low + BATCH)
            tokens = None if job.tokens is None else job.tokens[batch]
            part = replace(job, image=job.image[batch], tokens=tokens)
            integers = run(part, f"images from {low}")
            comparison = core.compare(part, vars(integers))
            self.compared += comparison.compared
            self.different += comparison.different
            scores.append(integers.scores)
            if comparison.first_difference is not None:
                self.failures.append(f"images from {low}: {comparison.first_difference}")
            done = low + len(integers.scores)
            tell(f"{done} of {self.images}, {self.different} integers differ", done / self.images)
        return np.concatenate(scores)


@dataclass(kw_only=True)
class RtlImages(HardwareImages):
    """Images that went through the RTL.

    Attributes:
        predicted, measured: cycles per inference by the cycle model and in the RTL: between the
            scores of images that follow each other; of a single image, from pixel to score.
        lanes_in_linear_layers: share of the lane-cycles of linear layers in which a weight is added.
        lanes: share of all lane-cycles.
    """

    predicted: float = 0.0
    measured: float = 0.0
    lanes_in_linear_layers: float = 0.0
    lanes: float = 0.0


@dataclass(kw_only=True)
class BoardImages(HardwareImages):
    """Images that went through a board.

    Attributes:
        load_seconds: for the network.
    """

    load_seconds: float


def correct(scores: NDArray[np.int64], labels: NDArray[np.integer]) -> int:
    """How many scores [images, classes] are largest for the right class [images]."""
    return int((scores.argmax(-1) == labels).sum())


def through_rtl(
    job: NetworkJob, core: WholeNetworkCore, progress: Progress, waves: Path | None = None
) -> tuple[RtlImages, NDArray[np.int64]]:
    """Load a network and run what enters it in the compiled RTL, beside golden and the cycle model.

    Args:
        waves: FST file to write of the first `BATCH`, with its views (`sim.cores.core.Core.write_views`).

    Returns:
        What was found, and the scores [images, ...] of the RTL.

    Raises:
        InputError: the network does not fit the core, or there is no C++ compiler.
    """
    core = core.tapped()
    images = len(job.counts)
    found = RtlImages(images=images)
    additions = linear = total = 0
    cycles: dict[str, list[int]] = {"predicted": [], "measured": []}

    def run(job: NetworkJob, batch: str) -> NetworkIntegers:
        nonlocal additions, linear, total
        ran, predicted = core.run(job, waves=waves if job.load else None), core.predict(job)
        if ran.cycles != predicted:
            found.failures.append(
                f"{batch}: scores predicted in cycles {predicted.heads.tolist()}, "
                f"measured {ran.cycles.heads.tolist()}"
            )
        for name, report in (("predicted", predicted), ("measured", ran.cycles)):
            cycles[name] += report.durations[images > 1 :].tolist()
        total += int(ran.cycles.durations.sum())
        done = core.activity(job, ran.integers)
        additions, linear = additions + done.events["weight_additions"], linear + done.busy["linear"]
        found.seconds += ran.result.seconds / images
        return ran.integers

    progress("make and compile the RTL", 0.0)
    scores = found.feed(core, job, run, lambda what, share: progress(f"RTL: {what}", share))
    if waves is not None:
        core.write_views(waves)
    found.predicted, found.measured = (float(np.mean(cycles[name])) for name in ("predicted", "measured"))
    found.lanes_in_linear_layers = additions / linear / core.lanes
    found.lanes = additions / total / core.lanes
    return found, scores


def through_board(
    board: NetworkBoard, job: NetworkJob, progress: Progress
) -> tuple[BoardImages, NDArray[np.int64]]:
    """Load a network and run what enters it on a board, beside golden.

    Returns:
        What was found, and the scores [images, ...] of the board.

    Raises:
        InputError: the network does not fit the board's core.
        LinkError: the board stopped answering.
    """
    begin = time.monotonic()
    board.run(
        NetworkJob(network=job.network, load=True),
        lambda sent, received: progress(f"load the board, {sent} bytes", 0.0),
    )
    loaded = time.monotonic()
    found = BoardImages(images=len(job.counts), load_seconds=loaded - begin)
    scores = found.feed(
        board.core,
        replace(job, load=False),
        lambda job, batch: board.run(job),
        lambda what, share: progress(f"board: {what}", share),
    )
    found.seconds = (time.monotonic() - loaded) / found.images
    return found, scores
