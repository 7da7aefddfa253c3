"""Payloads of the network core, as data types; widths follow from the configuration."""

from amaranth.hdl import Cat, Const, Shape, ShapeLike, Value, signed
from amaranth.lib import data

from golden.network.config import NetworkConfig
from golden.network.descriptors import (
    AttentionOp,
    LinearOp,
    Neuron,
    NormOp,
    Target,
)
from golden.network.limits import LEVEL_BITS, OFFSET_BITS
from golden.network.neuron import most_octaves
from golden.network.octave import ROOT_FRACTION_BITS
from golden.network.tensors import IMAGE
from golden.widths import bits_for, index_width
from hw.parts.load_reader import PIECE_BITS
from hw.parts.payloads import spike, struct


def row_width(config: NetworkConfig) -> int:
    return index_width(config.tokens)


def list_entry(config: NetworkConfig) -> data.StructLayout:
    """One firing neuron of a row."""
    return data.StructLayout({"feature": config.feature_bits, "spike": spike(config.code)})


def list_write(config: NetworkConfig, lists: int = 1) -> data.StructLayout:
    """A neuron's spike or silence, appended to its row; `first` begins the row anew. Of two `lists`, the high
    bit of the row says which."""
    row = row_width(config) + lists - 1
    return data.StructLayout({"row": row, "first": 1, "entry": list_entry(config)})


def entry_value(config: NetworkConfig) -> dict[str, ShapeLike]:
    """What enters: a pixel's spike or silence, or an integer of the stream."""
    return {"spike": spike(config.code)} if config.entry == IMAGE else {"value": signed(config.stream_bits)}


def image_beat(config: NetworkConfig) -> data.StructLayout:
    """One pixel or channel, in order; `last` closes the row (token), `end` the image."""
    return data.StructLayout(entry_value(config) | {"last": 1, "end": 1})


def stream_write(config: NetworkConfig) -> data.StructLayout:
    """An integer of the residual stream."""
    return data.StructLayout(
        {"row": row_width(config), "channel": config.feature_bits, "value": signed(config.stream_bits)}
    )


def score_beat(config: NetworkConfig) -> data.StructLayout:
    """One class score; classes in order, `last` closes the image."""
    return data.StructLayout({"value": signed(config.potential_bits), "last": 1})


def weight_word(config: NetworkConfig) -> data.ArrayLayout:
    return data.ArrayLayout(signed(config.weight_bits), config.cluster)


def weight_depth(config: NetworkConfig) -> int:
    """Words of a cluster's weight memory: two halves where weights are streamed."""
    return config.weights * (2 if config.weight_stream else 1)


def cluster_load(config: NetworkConfig) -> data.StructLayout:
    """Words for the weight memories on their way through the clusters."""
    if not config.weight_stream:
        return load(config)
    address = index_width(weight_depth(config))
    return data.StructLayout(
        {"cluster": index_width(config.clusters), "address": address, "data": weight_word(config)}
    )


def table_depth(config: NetworkConfig) -> int:
    """Entries of the neuron table: those of several passes where weights are streamed."""
    return config.neuron_slots << index_width(config.table) if config.weight_stream else config.table


def table_load(config: NetworkConfig) -> data.StructLayout:
    """Words for the neuron table."""
    if not config.weight_stream:
        return load(config)
    return data.StructLayout({"address": index_width(table_depth(config)), "data": struct(Neuron, config)})


def map_word(config: NetworkConfig) -> data.StructLayout:
    """A row of a source, or `none`; of rows that are not read whole a block."""
    block: dict[str, ShapeLike] = {"block": index_width(config.row_blocks)} if config.block else {}
    return data.StructLayout({"row": row_width(config), "none": 1} | block)


def block_span(config: NetworkConfig) -> data.StructLayout:
    """Where the spikes of a block of a row begin, and how many there are."""
    return data.StructLayout({"start": index_width(config.features), "count": bits_for(config.block)})


def levels(config: NetworkConfig) -> data.ArrayLayout:
    return data.ArrayLayout(signed(LEVEL_BITS), config.code.steps)


def memories(config: NetworkConfig) -> dict[str, tuple[ShapeLike, int]]:
    """Loadable memories: shape of a word and depth, in the order of their number in `load`. Cluster n
    of the weights is memory `weights` with n in the high address bits; streamed weights and neurons
    have none."""
    held: dict[str, tuple[ShapeLike, int]] = {
        "linear": (struct(LinearOp, config), config.linear_ops),
        "norm": (struct(NormOp, config), config.norm_ops),
        "attention": (struct(AttentionOp, config), config.heads),
        "levels": (levels(config), config.lists),
        "table": (struct(Neuron, config), config.table),
        "offsets": (signed(OFFSET_BITS), config.offsets),
    }
    if config.weight_stream:
        del held["table"]
    else:
        held["weights"] = (weight_word(config), config.weights)
    per_beat = config.attention.terms_per_beat
    if config.biases:
        held["biases"] = (data.ArrayLayout(signed(config.attention.score_width), per_beat), config.biases)
    if config.masks:
        held["masks"] = (data.ArrayLayout(1, per_beat), config.masks)
    if config.maps:
        held["maps"] = (map_word(config), config.maps)
    return held


def run(config: NetworkConfig) -> int:
    """Number of the memory that is none: a word for it lets images in."""
    return len(memories(config))


def store(config: NetworkConfig) -> int:
    """Number of the memory behind the stream of weights, on a narrow load stream."""
    return run(config) + 1


def memory_number(config: NetworkConfig) -> int:
    """Bits of the number of a memory."""
    return bits_for(store(config) if config.weight_stream else run(config))


# The tables of the fields of a term
TABLES = {"bias": "biases", "masked": "masks"}


def load_header(config: NetworkConfig) -> data.StructLayout:
    """Of a block of words on a narrow load stream, see `hw.network.linked_network`."""
    return data.StructLayout({"memory": memory_number(config), "last_piece": 8, "cluster": 8})


def load(config: NetworkConfig) -> data.StructLayout:
    """One word of one memory, in pieces of 32 bits, the low bits first; `cluster` matters for the weights."""
    held = memories(config)
    return data.StructLayout(
        {
            "memory": memory_number(config),
            "cluster": index_width(config.clusters),
            "address": max(index_width(depth) for _, depth in held.values()),
            "data": data.ArrayLayout(
                PIECE_BITS, -(-max(data_width(shape) for shape, _ in held.values()) // PIECE_BITS)
            ),
        }
    )


def data_width(shape: ShapeLike) -> int:
    return Shape.cast(shape).width


def broadcast(config: NetworkConfig) -> data.StructLayout:
    """What the clusters hear each cycle: a spike and the address of its weights.

    `first` restarts the accumulators, `last` hands them over after this spike; with two drains, `paired` ones
    leave from both halves of the lanes at once.
    """
    pairs: dict[str, ShapeLike] = {"paired": 1} if config.drains > 1 else {}
    return data.StructLayout(
        {
            "valid": 1,
            "first": 1,
            "last": 1,
            "active": 1,
            "negative": 1,
            "shift": index_width(most_octaves(config.code) + 1),
            "residue": config.code.log2_base.denominator,
            "address": index_width(weight_depth(config)),
        }
        | pairs
    )


def sums(config: NetworkConfig) -> data.StructLayout:
    """Accumulators of one lane on their way out."""
    b = config.code.log2_base.denominator
    return data.StructLayout({"valid": 1, "sum": data.ArrayLayout(signed(config.accumulator_bits), b)})


def hand_over(config: NetworkConfig) -> data.StructLayout:
    """What the drain needs to know about one pass of one row; `list` where hidden neurons have two, `short`
    where an inference may have fewer tokens (`hw.network.token_counts`)."""
    which: dict[str, ShapeLike] = {"list": 1} if config.hidden_lists > 1 else {}
    which |= {"short": 1} if config.token_counts else {}
    return data.StructLayout(
        {
            "target": index_width(len(Target)),
            "signed": 1,
            "fresh": 1,
            "levels": index_width(config.lists),
            "row": row_width(config),
            "table": index_width(table_depth(config)),
            "outputs": bits_for(config.lanes),
            "first": 1,
            "last": 1,
            "final": 1,
        }
        | which
    )


def qkv_write(config: NetworkConfig) -> data.StructLayout:
    """A code of q (part 0), k or v; the feature counts over all heads."""
    return data.StructLayout(
        {
            "part": 2,
            "feature": config.feature_bits,
            "row": row_width(config),
            "spike": spike(config.code),
        }
    )


def stream_address(config: NetworkConfig, row: Value, channel: Value) -> tuple[Value, Value]:
    """Where a channel of a row of the stream is, and in which bank: with two drains each half of
    the lanes has one."""
    row = row[: index_width(config.most_stream_rows)]
    if config.channels:
        channel = channel[: index_width(config.channels)]
    if config.drains == 1:
        place = Cat(row, channel) if config.channels else (row << config.feature_bits) | channel
        return place, Const(0, 1)
    bit = config.lanes.bit_length() - 2
    if len(channel) <= bit:  # channels for half of the lanes at most: all are in the first bank
        channel = Cat(channel, Const(0, bit + 1 - len(channel)))
    place = Cat(channel[:bit], channel[bit + 1 :])
    return Cat(row, place) if config.channels else Cat(place, row), channel[bit]


def paired_channel(config: NetworkConfig, number: Value) -> Value:
    """The channel in the first bank of the stream that comes at a number among those; with two drains."""
    bit = config.lanes.bit_length() - 2
    return Cat(number[:bit], Const(0, 1), number[bit:])


def stream_depth(config: NetworkConfig) -> int:
    """Of each bank of the stream."""
    rows = index_width(config.most_stream_rows)
    if not config.channels:
        bits = config.feature_bits
        if config.drains > 1:  # a place has the bits of half of the lanes at least, however few the features
            bits = max(bits, config.lanes.bit_length() - 1) - 1
        return 1 << (rows + bits)
    whole = -(-config.channels // config.lanes) * config.lanes
    return (whole // config.drains if config.drains > 1 else config.channels) << rows


MANTISSA_BITS = ROOT_FRACTION_BITS + 1
