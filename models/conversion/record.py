"""Ranges of every node of a model over calibration samples."""

from collections.abc import Iterable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from golden.errors import InputError
from models.floating.engine import Floats, Linear
from models.floating.model import Model
from models.floating.recording import Ranges, RecordingEngine
from models.verdict import RefusedModel, refusal


def record(model: Model, batches: Iterable[NDArray[Any]]) -> tuple[Ranges, dict[str, Linear]]:
    """Ranges of every node over the calibration samples, and the dense layers by node.

    Raises:
        InputError: no samples.
        RefusedModel: a sample drives the float network out of range, or none brings a node away from zero.
    """
    recorder = NodeRecorder()
    with np.errstate(all="ignore"):  # a network out of range is reported below, by node
        for batch in batches:
            if len(batch):
                model.run(batch, recorder)
    if not recorder.layers:
        raise InputError("calibration needs at least one sample, none were given")
    ranges = recorder.ranges
    stores = (ranges.linear, ranges.attention, ranges.norm, ranges.stream)
    nodes = list(dict.fromkeys(name for store in stores for name in store))
    problems = [
        (
            name,
            f"calibration drives node {name} of the float network out of range; "
            "samples must be scaled as in training",
        )
        for name in nodes
        if not all(np.isfinite(store[name]).all() for store in stores if name in store)
    ]
    problems = problems or [
        (
            name,
            f"calibration leaves node {name} at zero: no scale can be taken from these samples; "
            "take more of them (--count) or others",
        )
        for name in nodes
        # Of attention each of q, k, v and the output, which lie along the first axis
        if not all(part.any() for store in stores if name in store for part in np.atleast_2d(store[name]))
    ]
    if problems:
        raise RefusedModel(refusal(problems), nodes, problems)
    return ranges, recorder.layers


class NodeRecorder(RecordingEngine):
    """Also remembers the dense layers that are called."""

    def __init__(self) -> None:
        super().__init__()
        self.layers: dict[str, Linear] = {}

    def linear(self, name: str, x: Floats, layer: Linear) -> Floats:
        self.layers[name] = layer
        return super().linear(name, x, layer)
