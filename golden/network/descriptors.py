"""Descriptors and table entries of a network core: typed, each field with the width of its word.

The hardware's layouts are made of these classes (`hw.network.payloads`), and so are the words that are
loaded (`sim.cores.network.beats`).
"""

from collections.abc import Callable
from dataclasses import dataclass
from enum import IntEnum
from typing import Any

import numpy as np
from numpy.typing import NDArray

from golden.descriptors import Word, word
from golden.network.config import NetworkConfig
from golden.network.limits import MAX_FEATURES, OFFSET_BITS
from golden.network.mean import FRACTION_BITS
from golden.network.norm import NORM_KINDS
from golden.widths import bits_for, index_width

KINDS = {kind: number for number, kind in enumerate(NORM_KINDS)}


class Source(IntEnum):
    """The memories of spikes."""

    image = 0
    norm = 1
    mixed = 2
    hidden = 3


class Target(IntEnum):
    """What becomes of potentials."""

    hidden = 0
    qkv = 1
    stream = 2
    scores = 3


def feature_word(more: int = 0) -> Any:
    """A field with the number of a feature, or with `more` bits."""
    return word(lambda config: config.feature_bits + more)


def map_word(bits: Callable[[NetworkConfig], int]) -> Any:
    """A field of cores that read rows by index."""
    return word(lambda config: bits(config) if config.maps else 0)


def held_word(bits: Callable[[NetworkConfig], int]) -> Any:
    """A field of cores that hold all weights."""
    return word(lambda config: 0 if config.weight_stream else bits(config))


def streamed_flag() -> Any:
    """A bit of cores whose weights are streamed."""
    return word(lambda config: int(config.weight_stream > 0))


@dataclass(frozen=True, kw_only=True)
class LinearOp:
    """Some outputs of a linear layer; where weights are streamed, those of one pass.

    Attributes:
        source, target: memory that is read; what becomes of the potentials.
        rows: that it makes, or adds up where it is pooled.
        passes: rounds of as many outputs as there are lanes.
        inputs, outputs: of the layer; of this descriptor.
        weight, table: where its weights and its neurons begin; where they are streamed, in the program only.
        stride: neurons from row to row; 0 where all rows have the same.
        levels: threshold list.
        signed: negative potentials fire.
        fresh: the stream starts from zero.
        pooled: potentials accumulate over all rows.
        wait: row t may begin when the source has completed more than wait + t rows.
        release: the image has been read for the last time.
        final: the last descriptor.
        taps: rows of the source that make up a row, by index (`golden.network.rows`); 0 where row t is that
            of the source.
        width: of a row of the source, where there are taps.
        map: where its rows by index begin: for every row the last row of the source that it waits for, then
            the taps, -1 for none.
        read_list, write_list: which of two lists of hidden neurons is read, and which is written.
        counted: rows follow the number of tokens (`golden.network.counts`).
        opens, closes: its rows begin with this descriptor, and are complete with it.
        blocks: taps are blocks of `width` features of rows (`golden.network.blocks`).
    """

    source: Source = word(index_width(len(Source)))
    target: Target = word(index_width(len(Target)))
    rows: int = word(lambda config: bits_for(config.tokens))
    passes: int = held_word(lambda config: bits_for(-(-3 * config.features // config.lanes)))
    # of several taps they are as many as the weights of an output at most
    inputs: int = held_word(
        lambda config: max(config.feature_bits + 1, bits_for(config.weights) if config.maps else 0)
    )
    outputs: int = feature_word(2)
    weight: int = held_word(lambda config: index_width(config.weights))
    table: int = held_word(lambda config: index_width(config.table))
    stride: int = word(lambda config: max(config.feature_bits + 1, bits_for(3 * config.features)))
    levels: int = word(lambda config: index_width(config.lists))
    signed: bool = word(1)
    fresh: bool = word(1)
    pooled: bool = word(1)
    wait: int = word(lambda config: config.row_count_width)
    release: bool = word(1)
    final: bool = word(1)
    taps: int = map_word(lambda config: bits_for(config.taps))
    width: int = map_word(lambda config: config.feature_bits + 1)
    map: int = map_word(lambda config: index_width(config.maps))
    read_list: int = word(lambda config: config.hidden_lists - 1)
    write_list: int = word(lambda config: config.hidden_lists - 1)
    counted: bool = word(lambda config: int(config.token_counts))
    opens: bool = streamed_flag()
    closes: bool = streamed_flag()
    blocks: bool = word(lambda config: int(config.block > 0))

    @property
    def neurons(self) -> int:
        """Its entries of the neuron table."""
        return self.outputs * (self.rows if self.stride else 1)


@dataclass(frozen=True, kw_only=True)
class NormOp:
    """A norm.

    Attributes:
        kind: number of its kind.
        width: channels.
        mean_shift, mean_fraction, mean_bits: the reciprocal of the width (`golden.network.mean`).
        rows: that it makes.
        offset: where its places of first thresholds begin.
        levels: threshold list.
        wait: row t may begin when the linear unit has completed more than wait + t rows.
        final: the last descriptor.
        taps, map, counted: as in `LinearOp`; channels: of a row of the stream, where there are taps.
        twice: both taps are the same row: what is measured of the first counts twice.
    """

    kind: int = word(index_width(len(NORM_KINDS)))
    width: int = feature_word(1)
    mean_shift: int = word(lambda config: bits_for(config.feature_bits))
    mean_fraction: int = word(FRACTION_BITS)
    mean_bits: int = word(bits_for(FRACTION_BITS))
    rows: int = word(lambda config: bits_for(config.tokens))
    offset: int = word(lambda config: index_width(config.offsets))
    levels: int = word(lambda config: index_width(config.lists))
    wait: int = word(lambda config: config.row_count_width)
    final: bool = word(1)
    taps: int = map_word(lambda config: bits_for(config.taps))
    channels: int = map_word(lambda config: config.feature_bits + 1)
    map: int = map_word(lambda config: index_width(config.maps))
    counted: bool = word(lambda config: int(config.token_counts))
    twice: bool = map_word(lambda config: int(config.weight_stream > 0))


@dataclass(frozen=True, kw_only=True)
class AttentionOp:
    """A head, of one group of rows (window).

    Attributes:
        first: the first head of its layer.
        leads: the first of the `group` heads, of `span` features and `group_rows` rows together, that
            run back to back.
        base, features: where the features of the head begin, and how many there are.
        row, tokens: where the rows of the window begin, and how many there are.
        biased, masked: scores have a bias, a mask.
        bias, mask: where their tables begin; those of the heads that run back to back follow each other in
            `bias`, and share the one in `mask`.
        stride, area: words of a row of a table, of all rows of a bias.
        step, ratio: ramp step and output ratio (`golden.attention.job`).
        wait: the group may begin when the linear unit has completed more rows.
        final: the last descriptor.
        counted: rows follow the number of tokens (`golden.network.counts`).
    """

    first: bool = word(1)
    leads: bool = word(1)
    # as many as features where a head has one
    group: int = feature_word(1)
    span: int = feature_word(1)
    group_rows: int = word(lambda config: config.feature_bits + bits_for(config.tokens))
    base: int = feature_word()
    features: int = word(lambda config: bits_for(config.attention.head_dim))
    row: int = word(lambda config: index_width(config.tokens) if config.windows else 0)
    tokens: int = word(lambda config: bits_for(config.attention.tokens))
    biased: bool = word(lambda config: int(config.attention.bias))
    masked: bool = word(lambda config: int(config.attention.mask))
    bias: int = word(lambda config: index_width(config.biases) if config.biases else 0)
    mask: int = word(lambda config: index_width(config.masks) if config.masks else 0)
    stride: int = word(lambda config: bits_for(config.attention.tokens) if config.attention.terms else 0)
    area: int = word(lambda config: bits_for(config.biases) if config.biases and config.token_counts else 0)
    step: int = word(lambda config: config.attention.step_width)
    ratio: tuple[int, ...] = word(
        lambda config: Word(config.attention.ratio_width, count=config.code.log2_base.denominator)
    )
    wait: int = word(lambda config: config.row_count_width)
    final: bool = word(1)
    counted: bool = word(lambda config: int(config.token_counts))


@dataclass(frozen=True, kw_only=True)
class Neuron:
    """Entry of the neuron table.

    Attributes:
        bias: of the potential.
        offset: place of the first threshold, or shift into the stream.
        slot: feature that the neuron makes; of q, k and v `slot_of`.
    """

    bias: int = word(lambda config: Word(config.potential_bits, signed=True))
    offset: int = word(Word(OFFSET_BITS, signed=True))
    slot: int = feature_word(2)


def slot_of(part: int, feature: NDArray[np.integer]) -> NDArray[np.integer]:
    """Slots of features, counted over all heads, of q (part 0), k or v."""
    return part * MAX_FEATURES + feature


def feature_of(slot: NDArray[np.integer]) -> tuple[NDArray[np.integer], NDArray[np.integer]]:
    """Inverse of `slot_of`: parts and features."""
    return slot // MAX_FEATURES, slot % MAX_FEATURES


def slot_word(slot: NDArray[np.integer], config: NetworkConfig) -> NDArray[np.integer]:
    """Slots as the table of a core holds them, the part above the bits of its features."""
    part, feature = feature_of(slot)
    return (part << config.feature_bits) | feature
