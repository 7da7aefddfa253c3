"""Descriptors of a core for stochastic networks: typed, each field with the width of its word."""

from dataclasses import dataclass
from enum import IntEnum
from typing import Any

from golden.descriptors import word
from golden.widths import bits_for, index_width


class Kind(IntEnum):
    """What a layer is given, and what becomes of its currents."""

    spikes = 0  # spikes make currents, which fire
    entry = 1  # pixels make a current that is the same at every time step, and fires
    stream = 2  # currents add to the stream, which fires
    scores = 3  # currents of all rows and time steps add up to class scores


@dataclass(frozen=True, kw_only=True)
class LayerOp:
    """A layer, or as many class scores as there are lanes.

    In the spike memory a row of the source has a number of words at each time step (pixels: in each bit
    plane, the highest first), one after the other; so do the rows.

    Attributes:
        kind: see `Kind`.
        begins: currents begin the stream, and biases differ from row to row.
        rows: that it computes.
        source, target: where the spikes begin that are read and that are written.
        words: that it reads for a row and time step; per_word: neurons in a word.
        inputs: neurons in them.
        indexed: of rows of the source by index, a list of where each begins, from `map` on; tap_words: of
            each.
        passes: rounds of as many outputs as there are lanes; words of a row and time step of the target.
        steps: T.
        weight, bias: where its weights (unless streamed) and biases begin: those of a pass follow each other,
            biases row by row where they differ.
        attend: attention follows.
        outputs: of the last pass.
        final: the last descriptor.
    """

    kind: Kind = word(index_width(len(Kind)))
    begins: bool = word(1)
    rows: int = word(lambda config: bits_for(config.rows))
    source: int = word(lambda config: index_width(config.spikes))
    target: int = word(lambda config: index_width(config.spikes))
    words: int = word(lambda config: bits_for(config.spikes))
    per_word: int = word(lambda config: bits_for(config.lanes))
    inputs: int = word(lambda config: bits_for(config.weights))
    indexed: bool = word(1)
    map: int = word(lambda config: index_width(config.maps))
    tap_words: int = word(lambda config: bits_for(config.spikes))
    # of streamed weights a core holds one pass, but the words of all passes are in the spike memory
    passes: int = word(lambda config: bits_for(config.spikes if config.weight_stream else config.weights))
    steps: int = word(lambda config: bits_for(config.steps))
    weight: int = word(lambda config: 0 if config.weight_stream else index_width(config.weights))
    bias: int = word(lambda config: index_width(config.biases))
    attend: bool = word(1)
    outputs: int = word(lambda config: bits_for(config.lanes))
    final: bool = word(1)


def row_words(config: Any) -> int:
    """Most words of a token in all time steps: the spike memory holds all tokens."""
    return int(config.spikes // config.tokens)


@dataclass(frozen=True, kw_only=True)
class HeadsOp:
    """The attention of every block.

    Attributes:
        source, target: where the spikes of q, k and v begin, and those that come out.
        heads: in a block.
        width: neurons of each of q, k and v.
        words: of a row and time step of the source; the target has a word per head.
        steps: T.
        source_span, target_span: words of a row in all time steps.
    """

    source: int = word(lambda config: index_width(config.spikes))
    target: int = word(lambda config: index_width(config.spikes))
    heads: int = word(lambda config: bits_for(row_words(config)))
    width: int = word(lambda config: bits_for(row_words(config) * config.lanes // len("qkv")))
    words: int = word(lambda config: bits_for(row_words(config)))
    steps: int = word(lambda config: bits_for(config.steps))
    source_span: int = word(lambda config: bits_for(row_words(config)))
    target_span: int = word(lambda config: bits_for(row_words(config)))
