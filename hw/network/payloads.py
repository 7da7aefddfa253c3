"""Payloads of the network core, as data types; widths follow from the configuration."""

from amaranth.hdl import Shape, ShapeLike, signed
from amaranth.lib import data
from amaranth.utils import bits_for

from golden.network.checks import MAX_FEATURES
from golden.network.config import NetworkConfig
from golden.network.mean import FRACTION_BITS
from golden.network.octave import ROOT_FRACTION_BITS
from golden.network.program import LEVEL_BITS, OFFSET_BITS
from hw.attention import payloads as attention_payloads
from hw.attention.payloads import index_width

FEATURE_BITS = MAX_FEATURES.bit_length() - 1


def row_width(config: NetworkConfig) -> int:
    return index_width(config.tokens)


def row_count_width(config: NetworkConfig) -> int:
    """Bits of a count of the rows that a unit has completed since an inference began."""
    return bits_for(config.tokens * max(config.linear_ops, config.norm_ops, config.heads))


def list_entry(config: NetworkConfig) -> data.StructLayout:
    """One firing neuron of a row."""
    return data.StructLayout({"feature": FEATURE_BITS, "spike": attention_payloads.spike(config.code)})


def list_write(config: NetworkConfig) -> data.StructLayout:
    """A neuron's spike or silence, appended to its row; `first` begins the row anew."""
    return data.StructLayout({"row": row_width(config), "first": 1, "entry": list_entry(config)})


def image_beat(config: NetworkConfig) -> data.StructLayout:
    """One pixel's spike or silence; pixels in order, `last` closes the row (token), `end` the image."""
    return data.StructLayout({"spike": attention_payloads.spike(config.code), "last": 1, "end": 1})


def score_beat(config: NetworkConfig) -> data.StructLayout:
    """One class score; classes in order, `last` closes the image."""
    return data.StructLayout({"value": signed(config.potential_bits), "last": 1})


def linear_op(config: NetworkConfig) -> data.StructLayout:
    """Descriptor of the linear unit; see `golden.network.program`."""
    return data.StructLayout(
        {
            "source": 2,
            "target": 2,
            "rows": bits_for(config.tokens),
            "passes": bits_for(-(-3 * config.features // config.lanes)),
            "inputs": FEATURE_BITS + 1,
            "outputs": FEATURE_BITS + 2,
            "weight": index_width(config.weights),
            "table": index_width(config.table),
            "stride": FEATURE_BITS + 1,
            "levels": index_width(config.lists),
            "signed": 1,
            "fresh": 1,
            "pooled": 1,
            "wait": row_count_width(config),
            "release": 1,
            "final": 1,
        }
    )


def norm_op(config: NetworkConfig) -> data.StructLayout:
    """Descriptor of the norm unit; `mean_N` is the reciprocal of the width (`golden.network.mean`)."""
    return data.StructLayout(
        {
            "kind": 2,
            "width": FEATURE_BITS + 1,
            "mean_shift": bits_for(FEATURE_BITS),
            "mean_fraction": FRACTION_BITS,
            "mean_bits": bits_for(FRACTION_BITS),
            "rows": bits_for(config.tokens),
            "offset": index_width(config.offsets),
            "levels": index_width(config.lists),
            "wait": row_count_width(config),
            "final": 1,
        }
    )


def attention_op(config: NetworkConfig) -> data.StructLayout:
    """One head. `leads`: the first of the `group` heads, of `span` features
    together, that run back to back."""
    core = config.attention
    return data.StructLayout(
        {
            "first": 1,
            "leads": 1,
            "group": 8,
            "span": FEATURE_BITS + 1,
            "group_rows": 8 + bits_for(config.tokens),
            "base": FEATURE_BITS,
            "features": bits_for(core.head_dim),
            "tokens": bits_for(core.tokens),
            "step": core.step_width,
            "ratio": data.ArrayLayout(core.ratio_width, core.code.log2_base.denominator),
            "wait": row_count_width(config),
            "final": 1,
        }
    )


def neuron(config: NetworkConfig) -> data.StructLayout:
    """Entry of the neuron table."""
    return data.StructLayout(
        {"bias": signed(config.potential_bits), "offset": signed(OFFSET_BITS), "slot": FEATURE_BITS + 2}
    )


def weight_word(config: NetworkConfig) -> data.ArrayLayout:
    return data.ArrayLayout(signed(config.weight_bits), config.cluster)


def levels(config: NetworkConfig) -> data.ArrayLayout:
    return data.ArrayLayout(signed(LEVEL_BITS), config.code.steps)


def memories(config: NetworkConfig) -> dict[str, tuple[ShapeLike, int]]:
    """Loadable memories: shape of a word and depth, in the order of their number in `load`. Cluster n
    of the weights is memory `weights` with n in the high address bits."""
    return {
        "linear": (linear_op(config), config.linear_ops),
        "norm": (norm_op(config), config.norm_ops),
        "attention": (attention_op(config), config.heads),
        "levels": (levels(config), config.lists),
        "table": (neuron(config), config.table),
        "offsets": (signed(OFFSET_BITS), config.offsets),
        "weights": (weight_word(config), config.weights),
    }


# Number of the memory that is none: a word for it lets images in
RUN = 7
PIECE_BITS = 32
# Of a block of words on a narrow load stream, see `hw.network.linked_network`
LOAD_HEADER = data.StructLayout({"memory": 3, "last_piece": 8, "cluster": 8})


def load(config: NetworkConfig) -> data.StructLayout:
    """One word of one memory, in pieces of 32 bits, the low bits first; `cluster` matters for the weights."""
    held = memories(config)
    return data.StructLayout(
        {
            "memory": 3,
            "cluster": index_width(config.clusters),
            "address": max(index_width(depth) for _, depth in held.values()),
            "data": data.ArrayLayout(
                PIECE_BITS, -(-max(data_width(shape) for shape, _ in held.values()) // PIECE_BITS)
            ),
        }
    )


def data_width(shape: ShapeLike) -> int:
    return Shape.cast(shape).width


def most_octaves(config: NetworkConfig) -> int:
    return config.code.octave(config.code.steps - 1)[0]


def broadcast(config: NetworkConfig) -> data.StructLayout:
    """What the clusters hear each cycle: a spike and the address of its weights.

    `first` restarts the accumulators, `last` hands them over after this spike.
    """
    return data.StructLayout(
        {
            "valid": 1,
            "first": 1,
            "last": 1,
            "active": 1,
            "negative": 1,
            "shift": index_width(most_octaves(config) + 1),
            "residue": config.code.log2_base.denominator,
            "address": index_width(config.weights),
        }
    )


def sums(config: NetworkConfig) -> data.StructLayout:
    """Accumulators of one lane on their way out."""
    b = config.code.log2_base.denominator
    return data.StructLayout({"valid": 1, "sum": data.ArrayLayout(signed(config.accumulator_bits), b)})


def hand_over(config: NetworkConfig) -> data.StructLayout:
    """What the drain needs to know about one pass of one row."""
    return data.StructLayout(
        {
            "target": 2,
            "signed": 1,
            "fresh": 1,
            "levels": index_width(config.lists),
            "row": row_width(config),
            "table": index_width(config.table),
            "outputs": bits_for(config.lanes),
            "first": 1,
            "last": 1,
            "final": 1,
        }
    )


def qkv_write(config: NetworkConfig) -> data.StructLayout:
    """A code of q (part 0), k or v; the feature counts over all heads."""
    return data.StructLayout(
        {
            "part": 2,
            "feature": FEATURE_BITS,
            "row": row_width(config),
            "spike": attention_payloads.spike(config.code),
        }
    )


MANTISSA_BITS = ROOT_FRACTION_BITS + 1
