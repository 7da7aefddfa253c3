"""Accuracy of a network in golden, and its images through the RTL beside golden and the cycle model."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from golden.code import Spikes
from golden.network.config import NetworkConfig
from golden.network.network import Network, run_network
from golden.network.recode import Recoder
from models.floating.engine import FloatEngine
from sim.cores.network.engine import run
from sim.timing.network import NetworkTimes, predict
from studies.infer.cases import Case

BATCH = 250
RTL_BATCH = 10

# Told the name of the part of the job that runs and the share of it that is done, 0..1
Progress = Callable[[str, float], None]


@dataclass(frozen=True, kw_only=True)
class Accuracy:
    """Right answers on the same images, percent, and what fired.

    Attributes:
        images: how many.
        spiking: percent, golden.
        float_network: percent; None for a network file, which holds no float network.
        recoded: percent with the residual coded after each sum; None unless asked for.
        firing: share of neurons that fire, by layer.
    """

    images: int
    float_network: float | None
    spiking: float
    recoded: float | None
    firing: dict[str, float]

    @property
    def loss_points(self) -> float | None:
        """What conversion costs."""
        return None if self.float_network is None else self.float_network - self.spiking


def accuracy(case: Case, chosen: NDArray[np.intp], recoder: Recoder | None, progress: Progress) -> Accuracy:
    """Classify held-out images with the float network, golden, and golden with a re-coded residual."""
    hits = {"float": 0, "spiking": 0, "recoded": 0}
    fired: dict[str, float] = {}
    network = case.network
    for low in range(0, len(chosen), BATCH):
        progress(f"{len(chosen)} images through golden", low / len(chosen))
        part = chosen[low : low + BATCH]
        images, label = case.images[part], case.labels[part]
        spikes = case.spikes(images)
        activity = run_network(network, spikes)
        hits["spiking"] += int((activity.scores.argmax(-1) == label).sum())
        if case.floating is not None:
            logits = case.floating.run(images[:, None], FloatEngine())
            hits["float"] += int((logits.argmax(-1) == label).sum())
        if recoder is not None:
            scores = run_network(network, spikes, after_sum=recoder).scores
            hits["recoded"] += int((scores.argmax(-1) == label).sum())
        outputs = [spikes, *activity.outputs]
        names = ["image", *(f"{n} {layer.target}" for n, layer in enumerate(network.layers))]
        for name, output in zip(names, outputs, strict=True):
            if isinstance(output, Spikes):
                share = output.count() / output.sign.size * len(part) / len(chosen)
                fired[name] = fired.get(name, 0.0) + share
    percent = {name: 100 * count / len(chosen) for name, count in hits.items()}
    return Accuracy(
        images=len(chosen),
        float_network=None if case.floating is None else percent["float"],
        spiking=percent["spiking"],
        recoded=None if recoder is None else percent["recoded"],
        firing=fired,
    )


@dataclass(frozen=True, kw_only=True)
class RtlImages:
    """Images that went through the RTL.

    Attributes:
        images, correct: how many, and how many of them the RTL's scores put in the right class.
        compared, different: integers of all layers, beside golden.
        predicted, measured: cycles per inference by the cycle model and in the RTL: between the
            scores of images that follow each other; of a single image, from pixel to score.
        lanes_in_linear_layers: share of the lane-cycles of linear layers in which a weight is added.
        lanes: share of all lane-cycles.
        seconds: of simulation, per image.
        failures: one line per batch and kind of difference; empty when all is equal.
    """

    images: int
    correct: int
    compared: int
    different: int
    predicted: float
    measured: float
    lanes_in_linear_layers: float
    lanes: float
    seconds: float
    failures: list[str]


def through_rtl(
    network: Network,
    config: NetworkConfig,
    image: Spikes,
    labels: NDArray[np.integer],
    progress: Progress,
) -> RtlImages:
    """Images [images, tokens, pixels] through the compiled RTL beside golden and the cycle model.

    Raises:
        InputError: the network does not fit the core, or there is no C++ compiler.
    """
    images = image.shape[0]
    compared = different = correct = additions = linear = 0
    seconds = 0.0
    failures: list[str] = []
    cycles: dict[str, list[int]] = {"predicted": [], "measured": []}
    progress("make and compile the RTL", 0.0)
    for low in range(0, images, RTL_BATCH):
        part = image[low : low + RTL_BATCH]
        measured = run(network, config, part)
        predicted: NetworkTimes = predict(network, config, part, len(measured.result.accepted["i_load"]))
        compared, different = compared + measured.compared, different + measured.different
        correct += int((measured.scores.argmax(-1) == labels[low : low + RTL_BATCH]).sum())
        if measured.first_difference:
            failures.append(f"images from {low}: {measured.first_difference}")
        times = {"measured": measured.finished.tolist(), "predicted": predicted.finished}
        if times["measured"] != times["predicted"]:
            failures.append(f"images from {low}: scores predicted in cycles {times['predicted']}, "
                            f"measured {times['measured']}")  # fmt: skip
        begun = {"measured": int(measured.begun[0]), "predicted": predicted.begun[0]}
        for name, ends in times.items():
            cycles[name] += np.diff(ends).tolist() if images > 1 else [ends[0] - begun[name]]
        additions, linear = additions + predicted.additions, linear + predicted.linear
        seconds += measured.result.seconds
        done = low + part.shape[0]
        progress(f"{done} of {images} images through the RTL, {different} integers differ", done / images)
    mean = {name: float(np.mean(values)) for name, values in cycles.items()}
    return RtlImages(
        images=images,
        correct=correct,
        compared=compared,
        different=different,
        predicted=mean["predicted"],
        measured=mean["measured"],
        lanes_in_linear_layers=additions / linear / config.lanes,
        lanes=additions / images / mean["measured"] / config.lanes,
        seconds=seconds / images,
        failures=failures,
    )
