"""Payloads of every stream and what passes between the units of the integer core, as data types."""

from amaranth.hdl import Shape, ShapeLike, signed
from amaranth.lib import data
from amaranth.utils import bits_for, ceil_log2

from golden.integer.softmax import MANTISSA_BITS, MAX_SHIFT
from golden.widths import index_width
from hw.integer.vector_config import VectorConfig

# Banks of rows of terms and of scores, and how many rows of scores there are between the start of their sums
# and the end of their softmax: one in either stage, and one on the way between them
ROW_BANKS = 4
SCORE_ROWS = 3
# Rows between the start of their softmax and their last output
CONTEXT_ROWS = 4


def head(config: VectorConfig) -> data.StructLayout:
    """Head descriptor: what may change from head to head at run time."""
    return data.StructLayout(
        {
            "tokens": bits_for(config.tokens),
            "features": bits_for(config.head_dim),
            "terms": 1,
            "mantissa": MANTISSA_BITS,
            "shift": bits_for(MAX_SHIFT),
            "ratio": config.ratio_width,
        }
    )


def head_part(config: VectorConfig, *names: str) -> data.StructLayout:
    """The fields of a head descriptor that one unit reads."""
    layout = head(config)
    return data.StructLayout({name: layout[name].shape for name in names})


def code(config: VectorConfig) -> Shape:
    return signed(config.bits)


def query(config: VectorConfig) -> data.StructLayout:
    """One feature of a query row, the lowest first; `last` closes the row."""
    return data.StructLayout({"value": code(config), "last": 1})


def term(config: VectorConfig) -> data.StructLayout:
    """Additive bias (score units) and mask of one score; only the fields the core was made for."""
    fields: dict[str, ShapeLike] = {}
    if config.bias:
        fields["bias"] = signed(config.score_width)
    if config.mask:
        fields["masked"] = 1
    return data.StructLayout(fields)


def term_beat(config: VectorConfig) -> data.StructLayout:
    """The term of one key, the lowest token first; `last` closes the row."""
    return data.StructLayout({"term": term(config), "last": 1})


def code_beat(config: VectorConfig) -> data.StructLayout:
    """One output code; features in order, `last` closes the row."""
    return data.StructLayout({"value": code(config), "last": 1})


def context_beat(config: VectorConfig) -> data.StructLayout:
    """The normaliser of a row (`normaliser` high), then its context values in order of features."""
    return data.StructLayout({"value": signed(config.context_width), "normaliser": 1, "last": 1})


def held_score(config: VectorConfig) -> data.StructLayout:
    """A score and whether its key takes part. Made of squares, it lies above the score by half the sum of
    the squares of the query, the same for all keys of a row, and so at the same distance to the largest."""
    return data.StructLayout({"value": signed(config.score_width + config.squares), "alive": 1})


def tap(config: VectorConfig) -> data.StructLayout:
    """Distance and weight of one key, for verification."""
    width = held_score(config)["value"].width
    return data.StructLayout({"distance": width, "weight": config.bits})


def key_address(config: VectorConfig) -> data.StructLayout:
    """A token of one of two heads."""
    return data.StructLayout({"token": index_width(config.tokens), "bank": 1})


def row_address(config: VectorConfig) -> data.StructLayout:
    """A token of one of `ROW_BANKS` rows."""
    return data.StructLayout({"token": index_width(config.tokens), "bank": range(ROW_BANKS)})


def value_address(config: VectorConfig) -> data.StructLayout:
    """The values of a group of tokens for one feature, of one of two heads."""
    return data.StructLayout(
        {"feature": index_width(config.head_dim), "group": ceil_log2(config.groups), "bank": 1}
    )


def load_command(address: int) -> data.StructLayout:
    """`shift` moves the loading chain by one lane, `write` stores the chain at `address` and empties it."""
    return data.StructLayout({"shift": 1, "write": 1, "address": address})


def dot_command(address: int) -> data.StructLayout:
    """One product of the held vector with the word at `address`; `take` holds the vector that was shifted
    in, from this product on."""
    return data.StructLayout({"take": 1, "address": address})


def score_tags() -> data.StructLayout:
    """What a sum is: a score, the `last` of its row; with `terms` to add; `release`: the last of a head."""
    return data.StructLayout({"valid": 1, "last": 1, "terms": 1, "release": 1})


def context_tags() -> data.StructLayout:
    """What a sum is: of the `first` or `final` group of its row; of the `last` feature; `release`: of the
    last row of a head."""
    return data.StructLayout({"valid": 1, "first": 1, "final": 1, "last": 1, "release": 1})
