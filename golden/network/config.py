"""Sizes of a generated network core."""

from dataclasses import dataclass

from golden.attention.config import CoreConfig
from golden.code import PhaseCode, check_range
from golden.errors import InputError, quoted
from golden.network.checks import check_code
from golden.network.limits import (
    LEAST_WEIGHT_BITS,
    MAX_FEATURES,
    MAX_LANES,
    MAX_ROOM,
    MAX_TOKENS,
    MAX_WORDS,
    MOST_WEIGHT_BITS,
    POTENTIAL_BITS,
    STREAM_BITS,
)
from golden.network.neuron import residue_constants
from golden.network.tensors import ENTRIES, IMAGE, STREAM, Entry
from golden.widths import bits_for, index_width


def most_drains(lanes: int, cluster: int) -> int:
    """Sums per cycle: two where both halves of the lanes are whole clusters, and told apart by a bit."""
    return 2 if lanes.bit_count() == 1 and (lanes // cluster) % 2 == 0 else 1


@dataclass(frozen=True, kw_only=True)
class NetworkConfig:
    """What is fixed when a network core is generated.

    Attributes:
        code: phase code of every spike.
        weight_bits: width of a weight.
        lanes: neurons at work at once, a multiple of `cluster`; cluster: lanes that share a memory.
        tokens, features: largest number of rows and of inputs or outputs of a layer.
        channels: the same of all but norms, whose rows alone are wider; 0 where they are not.
        stream_rows: the largest number of rows of the stream, and of what norms and attention make of it; 0
            where it is `tokens`. Less behind convolutions, whose rows are pixels.
        image_room, hidden_room: bits of an address in the list of the image's spikes, and in each of those of
            hidden neurons; 0 where there is room for all features of all rows. Less where layers of many
            rows have few features, and those of many features few rows.
        weights: words of a weight memory (one weight per lane), of each of its two halves where weights are
            streamed; table: entries of the neuron table, of one pass where weights are streamed;
        offsets: entries of the norm table; lists: threshold lists; linear_ops, norm_ops, heads: descriptors.
        accumulator_bits, potential_bits, stream_bits: widths of signed integers.
        windows: attention may take rows in more than one group.
        biases, masks: words of the tables of attention's biases and masks (`attention.terms_per_beat` terms
            each); 0 for none.
        attention: the attention core: of the same code, with a bias and a mask where there are tables for
            them, and codes as its output. It holds the rows that attend each other: at least as many lanes.
        maps: words of the memory of rows by index (`golden.network.rows`); 0 leaves it out.
        taps: most rows of a source that make up a row; 0 without maps.
        hidden_lists: 2 where hidden neurons may enter hidden neurons.
        score_parts: 1 where class scores may leave in parts: of every row, or more of them than lanes.
        entry: what enters (`golden.network.network.Network`).
        token_counts: an inference may have fewer tokens than its network (`golden.network.counts`).
        weight_stream: bits of a word of the stream that brings the weights, pass by pass; 0 where all of them
            are in the core.
        block: where weights are streamed, features of a block of a norm's row that a pass may read alone
            (`golden.network.blocks`), a power of two; 0 where passes read whole rows.
        drains: 2 where sums for the residual stream leave the lanes two per cycle, else all leave one by one.
        norm_rows: 2 where the norm unit measures a row while the one before fires.
        shared: where weights are streamed, memories serve in turn: the stream has one copy, for the sums and
            for the norm, and spikes of attention are where those of hidden neurons are.

    Raises:
        InputError: a field is out of range.
    """

    code: PhaseCode
    weight_bits: int = 8
    lanes: int = 32
    cluster: int = 8
    tokens: int
    features: int
    weights: int
    table: int
    offsets: int
    lists: int
    linear_ops: int
    norm_ops: int
    heads: int
    windows: bool = False
    biases: int = 0
    masks: int = 0
    accumulator_bits: int
    potential_bits: int
    stream_bits: int
    attention: CoreConfig
    maps: int = 0
    taps: int = 0
    hidden_lists: int = 1
    score_parts: int = 0
    entry: Entry = IMAGE
    token_counts: bool = False
    weight_stream: int = 0
    drains: int = 1
    norm_rows: int = 1
    channels: int = 0
    stream_rows: int = 0
    image_room: int = 0
    hidden_room: int = 0
    block: int = 0
    shared: bool = False

    def __post_init__(self) -> None:
        check_range("NetworkConfig.weight_bits", self.weight_bits, LEAST_WEIGHT_BITS, MOST_WEIGHT_BITS)
        check_range("NetworkConfig.lanes", self.lanes, 1, MAX_LANES)
        check_range("NetworkConfig.cluster", self.cluster, 1, self.lanes)
        if self.lanes % self.cluster:
            raise InputError(f"NetworkConfig.cluster must divide lanes ({self.lanes}), not {self.cluster}")
        self._check_attention()
        check_range("NetworkConfig.tokens", self.tokens, 1, MAX_TOKENS)
        check_range("NetworkConfig.features", self.features, 1, MAX_FEATURES)
        check_range("NetworkConfig.channels", self.channels, 0, self.features)
        check_range("NetworkConfig.stream_rows", self.stream_rows, 0, self.tokens)
        for name in ("image_room", "hidden_room"):
            check_range(f"NetworkConfig.{name}", getattr(self, name), 0, MAX_ROOM)
        for name in ("weights", "table", "offsets", "lists", "linear_ops", "norm_ops", "heads"):
            check_range(f"NetworkConfig.{name}", getattr(self, name), 1, MAX_WORDS)
        for name in ("windows", "token_counts", "shared"):
            if not isinstance(getattr(self, name), bool):
                value = quoted(getattr(self, name))
                raise InputError(f"NetworkConfig.{name} must be true or false, not {value}")
        check_range("NetworkConfig.accumulator_bits", self.accumulator_bits, 2, 64)
        check_range("NetworkConfig.potential_bits", self.potential_bits, 2, POTENTIAL_BITS)
        check_range("NetworkConfig.stream_bits", self.stream_bits, 2, STREAM_BITS)
        check_range("NetworkConfig.maps", self.maps, 0, MAX_WORDS)
        check_range("NetworkConfig.taps", self.taps, min(1, self.maps), self.maps)
        check_range("NetworkConfig.hidden_lists", self.hidden_lists, 1, 2)
        check_range("NetworkConfig.score_parts", self.score_parts, 0, 1)
        check_range("NetworkConfig.drains", self.drains, 1, most_drains(self.lanes, self.cluster))
        check_range("NetworkConfig.norm_rows", self.norm_rows, 1, 2)
        check_range("NetworkConfig.weight_stream", self.weight_stream, 0, 64)
        for name, what in (("weights", "inputs"), ("table", "neurons")):
            count = getattr(self, name)
            if 0 < self.weight_stream < bits_for(count):
                raise InputError(
                    f"NetworkConfig.weight_stream must hold the {what} of a pass, {name} = {count}, in "
                    f"{bits_for(count)} bits or more, not {self.weight_stream}"
                )
        check_range("NetworkConfig.block", self.block, 0, MAX_LANES)
        if self.block and (self.block.bit_count() != 1 or not self.weight_stream or not self.maps):
            raise InputError(
                "NetworkConfig.block must be a power of two with weight_stream and maps, else 0, not "
                f"{self.block}"
            )
        if self.shared and (not self.weight_stream or self.hidden_lists > 1):
            raise InputError(
                "NetworkConfig.shared must be false without weight_stream, or with hidden_lists = 2"
            )
        if self.entry not in ENTRIES:
            allowed = ", ".join(ENTRIES)
            raise InputError(f"NetworkConfig.entry must be one of {allowed}, not {quoted(self.entry)}")

    def _check_attention(self) -> None:
        check_code("NetworkConfig.code", self.code)
        core = self.attention
        if core.code != self.code:
            raise InputError(f"NetworkConfig.attention.code must be the code, {self.code}, not {core.code}")
        for name in ("biases", "masks"):
            check_range(f"NetworkConfig.{name}", getattr(self, name), 0, MAX_WORDS)
        bias, mask = self.biases > 0, self.masks > 0
        for name, wanted in (("bias", bias), ("mask", mask), ("taps", False), ("output", "codes")):
            if getattr(core, name) != wanted:
                raise InputError(
                    f"NetworkConfig.attention.{name} must be {wanted!r}, not {getattr(core, name)!r}"
                )
        if self.token_counts and core.terms and core.terms_per_beat.bit_count() != 1:
            raise InputError(
                "NetworkConfig.attention.terms_per_beat must be a power of two with token_counts, not "
                f"{core.terms_per_beat}"
            )

    @property
    def clusters(self) -> int:
        return self.lanes // self.cluster

    @property
    def weight_pieces(self) -> int:
        """Words of the stream of weights that hold those of one input and cluster."""
        return -(-self.cluster * self.weight_bits // self.weight_stream)

    @property
    def neuron_slots(self) -> int:
        """Passes whose neurons are held where weights are streamed. Neurons are read when their sums
        leave the lanes; those that come after the last spike must not take their place before."""
        return 4 if self.lanes // self.drains > 2 else 8

    @property
    def row_count_width(self) -> int:
        """Bits of a count of the rows that a unit has completed since an inference began."""
        # rows of a stream that enters count as the linear unit's
        linear = self.linear_ops + (self.entry == STREAM)
        return bits_for(self.tokens * max(linear, self.norm_ops, self.heads))

    @property
    def feature_bits(self) -> int:
        """Bits of the number of a feature, or of a channel of the stream."""
        return index_width(self.features)

    @property
    def widest(self) -> int:
        """Largest number of features of a row, but of norms."""
        return self.channels or self.features

    @property
    def most_stream_rows(self) -> int:
        """`stream_rows`, or all."""
        return self.stream_rows or self.tokens

    @property
    def full_room(self) -> int:
        """Bits of an address where there is room for all features of all rows."""
        return index_width(self.tokens) + index_width(self.widest)

    @property
    def most_spikes(self) -> int:
        """Spikes of the largest of the lists."""
        whole = self.tokens * self.features
        lists = [self.most_stream_rows * self.features, 1 << self.hidden_room if self.hidden_room else whole]
        if self.entry == IMAGE:
            lists.append(1 << self.image_room if self.image_room else whole)
        return max(lists)

    @property
    def row_blocks(self) -> int:
        """Blocks of a norm's row."""
        return -(-self.features // self.block)

    @property
    def constants(self) -> list[int]:
        """C[0..b-1] of the combination."""
        return [int(c) for c in residue_constants(self.code)]
