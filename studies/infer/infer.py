"""Whole inferences: images in as spikes, classes out, in golden and through the RTL."""

from dataclasses import asdict, dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from energy.network import account_by_layer
from golden.code import check_range
from golden.network.network import Network
from golden.network.recode import calibrated_recoder
from sim.cores.network.core import NetworkJob
from studies.boards.throughput import IMAGES, network_throughput
from studies.infer.cases import Case
from studies.infer.cores import check_board, core_with_memory, sized_core
from studies.infer.evaluate import Accuracy, Progress, accuracy
from studies.infer.hardware import BoardImages, NetworkBoard, correct, through_board, through_rtl
from studies.infer.report import Found

RTL_IMAGES = 20
ENERGY_IMAGES = 100


@dataclass(frozen=True, kw_only=True, eq=False)
class Inferences(Found):
    """What a run of `infer` found of images.

    Attributes:
        case: what ran.
        chosen, through: indices of the held-out images that golden classified, and the RTL or board.
        accuracy: of golden.
        board: None when no image went through one.
    """

    case: Case
    chosen: NDArray[np.intp]
    through: NDArray[np.intp]
    accuracy: Accuracy
    board: BoardImages | None
    noun: ClassVar[str] = "images"

    @property
    def name(self) -> str:
        return self.case.name

    @property
    def network(self) -> Network:
        return self.case.network

    @property
    def first(self) -> str:
        return f"held-out image {self.chosen[0]}; {self.network.tokens} tokens"

    @property
    def failures(self) -> list[str]:
        return super().failures + ([] if self.board is None else self.board.failures)

    def to_json(self) -> dict[str, Any]:
        report = super().to_json()
        report["tools"] |= {name: version(name) for name in ("scikit-learn", "matplotlib")}
        report["network"] |= {"pixels": self.network.width, "classes": self.network.classes}
        return report | {
            "accuracy": asdict(self.accuracy) | {"loss_points": self.accuracy.loss_points},
            **{
                name: None if ran is None else {"index": self.through.tolist()} | asdict(ran)
                for name, ran in (("rtl", self.rtl), ("board", self.board))
            },
        }


def infer(
    case: Case,
    *,
    images: int | None = None,
    rtl: int | None = None,
    lanes: int | None = None,
    streamed: bool = False,
    board: NetworkBoard | None = None,
    seed: int = 0,
    recode: bool = False,
    clock_mhz: float | None = None,
    waves: Path | None = None,
    progress: Progress = lambda part, share: None,
) -> Inferences:
    """Classify held-out images.

    Args:
        images: how many, in golden; all when absent.
        rtl: how many of these go through the RTL too; at most `RTL_IMAGES` when absent.
        lanes, streamed: of the core, see `studies.infer.cores.sized_core`.
        board: an open board that takes the place of the simulated RTL, with a core of its own size.
        seed: chooses the images.
        recode: classify also with the residual coded after each sum.
        clock_mhz: at which inferences per second are wanted; see `studies.boards.throughput`.
        waves: see `studies.infer.hardware.through_rtl`.
        progress: told how far the job is.

    Raises:
        InputError: a number out of range, a network that the hardware cannot run.
        LinkError: the board stopped answering.
    """
    everything = len(case.images)
    images = everything if images is None else images
    check_range("--images", images, 1, everything)
    rtl = min(RTL_IMAGES, images) if rtl is None else rtl
    check_range("--rtl", rtl, 0, images)
    if board is not None:
        core = core_with_memory(board.config)
        check_board(board.config, case.network)
    else:
        core = sized_core(case.network, lanes, streamed=streamed)
    rng = np.random.default_rng(seed)
    chosen = np.sort(rng.choice(everything, images, replace=False))
    through = np.sort(rng.choice(chosen, rtl, replace=False))
    recoder = calibrated_recoder(case.network, case.spikes(case.calibration)) if recode else None
    found = accuracy(case, chosen, recoder, progress)
    measured = on_board = None
    if rtl:
        labels = case.labels[through]
        job = NetworkJob(network=case.network, load=True, image=case.spikes(case.images[through]))
        if board is not None:
            on_board, scores = through_board(board, job, progress)
            on_board.correct = correct(scores, labels)
        else:
            measured, scores = through_rtl(job, core, progress, waves)
            measured.correct = correct(scores, labels)
    progress("count events, draw the timeline", 1.0)
    spikes = case.spikes(case.images[chosen[:ENERGY_IMAGES]])
    return Inferences(
        case=case,
        seed=seed,
        config=core.config,
        chosen=chosen,
        through=through,
        accuracy=found,
        rtl=measured,
        board=on_board,
        counted=spikes.shape[0],
        layers=account_by_layer(case.network, core.config, spikes),
        times=core.times(NetworkJob(network=case.network, image=spikes[:1])),
        throughput=None
        if clock_mhz is None
        else network_throughput(
            core,
            NetworkJob(network=case.network, image=case.spikes(case.images[:IMAGES])),
            clock_mhz,
        ),
    )
