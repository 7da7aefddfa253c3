"""Accuracy of a network in golden."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from golden.code import Spikes
from golden.network.network import run_network
from golden.network.recode import Recoder
from models.floating.engine import FloatEngine
from studies.infer.cases import Case

BATCH = 250

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
            logits = case.floating.run(case.samples(images), FloatEngine())
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
