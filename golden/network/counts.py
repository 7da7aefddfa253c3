"""Numbers of tokens in the hardware: which layers' rows follow the number of tokens of an inference.

Of R rows that follow it, n of N tokens leave the first R - N + n: units run the first rows of their layers
only, and keys behind them are not loaded. Which rows are there is the rule of `golden.network.rows`; where
these are not the first ones, the hardware refuses a number of tokens.
"""

import numpy as np
from numpy.typing import NDArray

from golden.errors import InputError
from golden.network.attention import Attention
from golden.network.layers import Linear, Norm, StreamLinear
from golden.network.network import Network


def counted_layers(network: Network) -> list[bool]:
    """Whether the rows of each layer follow the number of tokens; those of the others are always there.

    Raises:
        InputError: a layer keeps the hardware from taking a number of tokens.
    """
    # rows by name; of other names all rows are there
    counted: dict[str, int] = {network.entry: network.tokens}
    found = []
    for index, layer in enumerate(network.layers):
        name, rows = f"a number of tokens: layer {index}", counted.get(layer.source)
        if rows is not None:
            if isinstance(layer, Attention):
                check_attention(name, layer, rows - network.tokens)
            elif isinstance(layer, Linear | Norm) and layer.gather is not None:
                rows = rows_of(name, layer.gather, rows, network.tokens)
        found.append(rows is not None)
        if not isinstance(layer, StreamLinear) or layer.fresh:
            counted.pop(layer.target, None)
            counted |= {} if rows is None else {layer.target: rows}
    return found


def rows_of(name: str, gather: NDArray[np.int64], source: int, tokens: int) -> int | None:
    """Rows by index of `source` rows that follow the number of tokens: their number, None if they do not."""
    rows, always = len(gather), source - tokens  # row `always` of the source is there for any number
    last = gather.max(axis=1)
    if (last <= always).all():
        return None
    follows = np.arange(rows) - (rows - source)
    if rows < tokens or (np.maximum(last, always) != np.maximum(follows, always)).any():
        raise InputError(f"{name} must read rows in their order, or rows that are always there (gather)")
    return rows


def check_attention(name: str, layer: Attention, always: int) -> None:
    """Raise InputError unless the first rows attend each other however many there are."""
    if layer.groups != 1:
        raise InputError(f"{name} must attend in one group, not {layer.groups} (groups)")
    if layer.allowed is not None:
        first = layer.allowed[0].argmax(axis=-1)
        if (first > np.maximum(np.arange(len(first)), always)).any():
            raise InputError(f"{name} must allow each row itself or one before it (allowed)")
