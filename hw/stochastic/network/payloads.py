"""Payloads of the core for stochastic networks, as data types; widths follow from the configuration."""

from enum import IntEnum

from amaranth.hdl import Shape, ShapeLike, signed
from amaranth.lib import data

from golden.stochastic.descriptors import HeadsOp, LayerOp
from golden.stochastic.network_config import WEIGHT_BITS, StochasticNetworkConfig
from golden.widths import bits_for, index_width
from hw.parts.load_reader import PIECE_BITS
from hw.parts.payloads import struct

# Of the memory of streamed weights: one is read, the other filled
HALVES = 2


class Base(IntEnum):
    """What an input of a neuron is added to."""

    SUM = 0
    ZERO = 1
    STREAM = 2
    DOUBLE = 3  # of the sum


def spikes(config: StochasticNetworkConfig) -> data.ArrayLayout:
    """One bit per lane: a word of the spike memory."""
    return data.ArrayLayout(1, config.lanes)


def image_beat(config: StochasticNetworkConfig) -> data.StructLayout:
    """A bit of as many pixels as there are lanes; rows, in them bit planes; `last` closes the image."""
    return data.StructLayout({"spikes": spikes(config), "last": 1})


def spike_write(config: StochasticNetworkConfig) -> data.StructLayout:
    """A word for the spike memory."""
    return data.StructLayout({"address": index_width(config.spikes), "spikes": spikes(config)})


def score_beat(config: StochasticNetworkConfig) -> data.StructLayout:
    """One class score; classes in order, `last` closes the inference."""
    return data.StructLayout({"value": signed(config.accumulator_bits), "last": 1})


def weight_word(config: StochasticNetworkConfig) -> data.ArrayLayout:
    return data.ArrayLayout(signed(WEIGHT_BITS), config.lanes)


def bias_word(config: StochasticNetworkConfig) -> data.ArrayLayout:
    return data.ArrayLayout(signed(config.bias_bits), config.lanes)


def stream_word(config: StochasticNetworkConfig) -> data.ArrayLayout:
    return data.ArrayLayout(signed(config.stream_bits), config.lanes)


def map_word(config: StochasticNetworkConfig) -> data.StructLayout:
    """Where a row of the source begins, if there is one."""
    return data.StructLayout({"address": index_width(config.spikes), "there": 1})


def sums(config: StochasticNetworkConfig) -> data.ArrayLayout:
    """Sums of all lanes."""
    return data.ArrayLayout(signed(config.accumulator_bits), config.lanes)


def weight_load(config: StochasticNetworkConfig) -> data.StructLayout:
    """Streamed weights of an input, for one half of their memory."""
    return data.StructLayout({"address": index_width(config.weights), "data": weight_word(config)})


def memories(config: StochasticNetworkConfig) -> dict[str, tuple[ShapeLike, int]]:
    """Loadable memories: shape of a word and depth, in the order of their number in `load`; streamed weights
    have none."""
    held: dict[str, tuple[ShapeLike, int]] = {
        "layers": (struct(LayerOp, config), config.layers),
        "heads": (struct(HeadsOp, config), 1),
        "weights": (weight_word(config), config.weights),
        "biases": (bias_word(config), config.biases),
    }
    if config.weight_stream:
        del held["weights"]
    return held | ({"maps": (map_word(config), config.maps)} if config.maps else {})


def run(config: StochasticNetworkConfig) -> int:
    """Number of the memory that is none: a word for it lets images in."""
    return len(memories(config))


def store(config: StochasticNetworkConfig) -> int:
    """Number of the memory behind the stream of weights."""
    return run(config) + 1


def memory_number(config: StochasticNetworkConfig) -> int:
    """Bits of the number of a memory."""
    return bits_for(store(config) if config.weight_stream else run(config))


def load_header(config: StochasticNetworkConfig) -> data.StructLayout:
    """Of a block of words on the load stream, see `hw.parts.load_reader.LoadReader`."""
    return data.StructLayout({"memory": memory_number(config), "last_piece": 16})


def load(config: StochasticNetworkConfig) -> data.StructLayout:
    """One word of one memory, in pieces of 32 bits, the low bits first."""
    held = memories(config).values()
    widest = max(Shape.cast(shape).width for shape, _ in held)
    return data.StructLayout(
        {
            "memory": memory_number(config),
            "address": max(index_width(depth) for _, depth in held),
            "data": data.ArrayLayout(PIECE_BITS, -(-widest // PIECE_BITS)),
        }
    )


def _beat(config: StochasticNetworkConfig, active: ShapeLike, weight_address: ShapeLike) -> data.StructLayout:
    return data.StructLayout(
        {
            "base": Base,
            "bias": 1,
            "active": active,
            "fire": 1,
            "rest": 1,
            "weight_address": weight_address,
            "bias_address": index_width(config.biases),
            "place": index_width(config.spikes),
        }
    )


def word(config: StochasticNetworkConfig) -> data.StructLayout:
    """A word of spikes on its way: a beat, with `active` where the word is read, and where the weight of its
    first place stands."""
    return _beat(config, 1, index_width(config.weights))


def beat(config: StochasticNetworkConfig) -> data.StructLayout:
    """What the lanes hear each cycle.

    Fields: base, what the inputs are added to; bias, active: the inputs are the bias, weights of the ports;
    weight_address, bias_address: where they stand; fire: the sum is the current of this time step; rest: the
    row ends with it; place: of the step among the words of the layer.
    """
    ports = config.weight_ports
    return _beat(config, ports, data.ArrayLayout(index_width(config.weights), ports))
