"""Floats that keep the rows that dense layers read, for layers that are fitted to them."""

from collections.abc import Collection

from models.floating.engine import FloatEngine, Floats, Linear


class RowsEngine(FloatEngine):
    """Floats of one run, kept as they are read.

    Attributes:
        inputs: by dense node, those of the names given, [samples, ..., inputs].
    """

    def __init__(self, names: Collection[str]) -> None:
        self.names = names
        self.inputs: dict[str, Floats] = {}

    def linear(self, name: str, x: Floats, layer: Linear) -> Floats:
        if name in self.names:
            self.inputs[name] = x
        return super().linear(name, x, layer)
