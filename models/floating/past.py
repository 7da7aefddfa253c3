"""What a decoder keeps of the tokens that it has seen."""

from dataclasses import dataclass, field

import numpy as np

from models.floating.engine import Floats


@dataclass
class Past:
    """Keys and values of the tokens so far.

    Attributes:
        held: by attention node, (keys, values), [batch, heads, tokens, d] each.
        tokens: how many there are.
    """

    held: dict[str, tuple[Floats, Floats]] = field(default_factory=dict)
    tokens: int = 0

    def extend(self, name: str, key: Floats, value: Floats) -> tuple[Floats, Floats]:
        """All keys and values of a node, those of new tokens at the end."""
        if name in self.held:
            keys, values = self.held[name]
            key, value = np.concatenate([keys, key], axis=2), np.concatenate([values, value], axis=2)
        self.held[name] = key, value
        return key, value
