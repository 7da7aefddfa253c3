"""Floats that keep rows that dense layers and norms read, for layers that are fitted to them."""

from collections.abc import Collection

from models.floating.engine import FloatEngine, Floats, Linear
from models.floating.functions import Norm


class RowsEngine(FloatEngine):
    """Floats of one run, kept as they are read.

    Attributes:
        inputs: by dense node, those of the names given, [samples, ..., inputs].
        streams: by norm, and where the stream is read without one, [samples, ..., width].
    """

    def __init__(self, names: Collection[str] = ()) -> None:
        self.names = names
        self.inputs: dict[str, Floats] = {}
        self.streams: dict[str, Floats] = {}

    def linear(self, name: str, x: Floats, layer: Linear) -> Floats:
        if name in self.names:
            self.inputs[name] = x
        return super().linear(name, x, layer)

    def norm(self, name: str, x: Floats, norm: Norm) -> Floats:
        self.stream(name, x)
        return super().norm(name, x, norm)

    def stream(self, name: str, x: Floats) -> Floats:
        self.streams[name] = x
        return super().stream(name, x)
