"""Payloads of every stream and of every broadcast command, as data types.

Widths follow from the configuration; no other file slices bits by number.
"""

from amaranth.hdl import ShapeLike, signed, unsigned
from amaranth.lib import data
from amaranth.utils import bits_for, ceil_log2

from golden.attention.config import CoreConfig
from golden.widths import index_width
from hw.parts.payloads import phase_width, spike


def head(config: CoreConfig) -> data.StructLayout:
    """Head descriptor: what may change from head to head at run time."""
    return data.StructLayout(
        {
            "tokens": bits_for(config.tokens),
            "features": bits_for(config.head_dim),
            "terms": 1,
            "window": bits_for(config.code.steps),
            "step": config.step_width,
            "ratio": data.ArrayLayout(config.ratio_width, config.code.log2_base.denominator),
        }
    )


def head_part(config: CoreConfig, *names: str) -> data.StructLayout:
    """The fields of a head descriptor that one unit reads."""
    layout = head(config)
    return data.StructLayout({name: layout[name].shape for name in names})


def query(config: CoreConfig) -> data.StructLayout:
    """One spike of a query row. Silent features are left out; a row that is silent altogether is
    one beat with an inactive spike. `last` closes the row."""
    return data.StructLayout(
        {"feature": index_width(config.head_dim), "spike": spike(config.code), "last": 1}
    )


def term(config: CoreConfig) -> data.StructLayout:
    """Additive bias (score units) and mask of one score; only the fields the core was made for."""
    fields: dict[str, ShapeLike] = {}
    if config.bias:
        fields["bias"] = signed(config.score_width)
    if config.mask:
        fields["masked"] = unsigned(1)
    return data.StructLayout(fields)


def terms(config: CoreConfig) -> data.ArrayLayout:
    """Terms of `terms_per_beat` neighbouring keys, the lowest token first."""
    return data.ArrayLayout(term(config), config.terms_per_beat)


def code_beat(config: CoreConfig) -> data.StructLayout:
    """One output code; features in order, `last` closes the row."""
    return data.StructLayout({"spike": spike(config.code), "last": 1})


def context_beat(config: CoreConfig) -> data.StructLayout:
    """The normaliser of a row (`normaliser` high), then its context values in order of features."""
    return data.StructLayout({"value": signed(config.context_width), "normaliser": 1, "last": 1})


def score(config: CoreConfig) -> data.StructLayout:
    """A score and whether its key takes part in the competition."""
    return data.StructLayout({"value": signed(config.score_width), "alive": 1})


def attention(config: CoreConfig) -> data.StructLayout:
    """Attention spike of a key; silent while `active` is low."""
    return data.StructLayout({"active": 1, "phase": phase_width(config.code)})


def tap(config: CoreConfig) -> data.StructLayout:
    """Scores and attention spikes of one cluster and group, for verification."""
    return data.StructLayout(
        {
            "score": data.ArrayLayout(signed(config.score_width), config.cluster),
            "attention": data.ArrayLayout(attention(config), config.cluster),
        }
    )


# Rows that the query buffer and the context buffer hold, a power of two
ROW_BANKS = 4

# Commands travel from cluster to cluster, one clock cycle each. Their strobes are reset, their
# data is not.


def score_slots(config: CoreConfig) -> int:
    """Scores that a lane can hold from search to ramp: a row, and two more so that the search of
    the next rows need not wait for its ramp."""
    return config.groups + 2


def memory_depth(config: CoreConfig) -> int:
    """Words of a local trace memory: two banks of every feature of every group."""
    return 2 << (index_width(config.head_dim) + ceil_log2(config.groups))


def memory_address(config: CoreConfig) -> data.StructLayout:
    return data.StructLayout(
        {"group": ceil_log2(config.groups), "feature": index_width(config.head_dim), "bank": 1}
    )


def _command(strobes: dict[str, ShapeLike], fields: dict[str, ShapeLike]) -> data.StructLayout:
    return data.StructLayout({"strobe": data.StructLayout(strobes), "data": data.StructLayout(fields)})


def load_command(config: CoreConfig) -> data.StructLayout:
    """`shift` moves the loading chain by one lane, `write` stores the chain at `address`."""
    return _command({"shift": 1, "write": 1}, {"address": memory_address(config)})


def score_command(config: CoreConfig) -> data.StructLayout:
    """`terms` adds the terms chain, `add` a product, `take` hands the sum over and clears it;
    lanes below `present` hold a token."""
    return _command(
        {"terms": 1, "add": 1, "take": 1},
        {
            "address": memory_address(config),
            "negative": 1,
            "phase": phase_width(config.code),
            "present": bits_for(config.lanes),
        },
    )


def winner_command(config: CoreConfig) -> data.StructLayout:
    """`search` puts the next bit of every score on the search, `first` its highest, which is `alive`; from
    there to its `last` bit a search has no pauses. `copy` moves the scores into the last slot, `move` from
    slot to slot; `final` marks the last group of a row."""
    return _command(
        {"search": 1, "first": 1, "copy": 1, "move": score_slots(config) - 1}, {"last": 1, "final": 1}
    )


def ramp_command(config: CoreConfig) -> data.StructLayout:
    """One step of the falling threshold: scores in slot 0 that reach it fire with `phase` into
    `entry`; `first` clears the entry."""
    return _command(
        {"step": 1},
        {
            "threshold": signed(config.score_width),
            "phase": phase_width(config.code),
            "entry": index_width(2 * config.groups),
            "first": 1,
            "last": 1,
        },
    )


def context_command(config: CoreConfig) -> data.StructLayout:
    """One column of one group: attention spikes of `entry` with the values at `address`, or with
    ones (`ones`: the normaliser)."""
    return _command(
        {"read": 1},
        {
            "address": memory_address(config),
            "ones": 1,
            "entry": index_width(2 * config.groups),
            "final": 1,
            "last": 1,
        },
    )


def winner_tags() -> data.StructLayout:
    """What a bit of the search is: `last` of a score, of the `final` group of a row."""
    return data.StructLayout({"valid": 1, "last": 1, "final": 1})


def winner_link() -> data.StructLayout:
    """Bit-serial maximum that travels along the clusters, most significant bit first."""
    return data.StructLayout({"tags": winner_tags(), "bit": 1})


def context_tags() -> data.StructLayout:
    """What a partial sum is: of the column of `ones`, of the `final` group of its column, of the
    `last` column of a row."""
    return data.StructLayout({"valid": 1, "ones": 1, "final": 1, "last": 1})


def context_link(config: CoreConfig) -> data.StructLayout:
    """Partial sum that travels along the clusters. `carry` still has to be added: one of the
    ones owed by the negated addends."""
    width = config.code.trace_bits + 2 + ceil_log2(config.lanes)
    return data.StructLayout({"tags": context_tags(), "sum": signed(width), "carry": 1})
