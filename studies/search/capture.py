"""Activations of a float network at its spiking nodes."""

from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from models.conversion.record import NodeRecorder
from models.floating.engine import Floats, Linear
from models.floating.model import Model


@dataclass
class Captured:
    """Activations of a few samples.

    Attributes:
        heads: per attention node, a list of (q, k, v), each [heads, tokens, d].
        inputs: per dense node, [rows, inputs].
    """

    heads: dict[str, list[tuple[Floats, Floats, Floats]]] = field(default_factory=dict)
    inputs: dict[str, list[Floats]] = field(default_factory=dict)


class CapturingEngine(NodeRecorder):
    """Floats, keeping what the spiking nodes would be given."""

    def __init__(self) -> None:
        super().__init__()
        self.captured = Captured()

    def linear(self, name: str, x: Floats, layer: Linear) -> Floats:
        self.captured.inputs.setdefault(name, []).append(x.reshape(-1, x.shape[-1]))
        return super().linear(name, x, layer)

    def attention(
        self,
        name: str,
        q: Floats,
        k: Floats,
        v: Floats,
        bias: Floats | None = None,
        allowed: NDArray[np.bool_] | None = None,
    ) -> Floats:
        if bias is None and allowed is None:
            self.captured.heads.setdefault(name, []).extend(zip(q, k, v, strict=True))
        return super().attention(name, q, k, v, bias, allowed)


def capture(model: Model, samples: list[NDArray[Any]]) -> Captured:
    """Activations of every node over the samples, each with a batch axis."""
    engine = CapturingEngine()
    for sample in samples:
        model.run(sample, engine)
    return engine.captured
