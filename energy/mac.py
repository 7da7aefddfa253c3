"""The same work in 8-bit multiply-accumulates: one operand broadcast to all lanes, the other read per lane.

Dense, whatever the spikes. A sum is as wide as its products and their number ask for; softmax goes by
a table of exponentials and a serial divider per row.
"""

from math import ceil, log2

from energy.events import AttentionEvents, LinearEvents
from energy.ledger import Ledger, Line
from energy.linear import LinearUnit
from energy.prices import access, add, multiply
from golden.attention.config import CoreConfig

BITS = 8
EXP_TABLE_ENTRIES = 256
EXP_TABLE_BITS = 16
# A serial divider: one subtraction per bit of the quotient
DIVIDER_STEPS = 16


def sum_bits(bits: int, terms: int) -> int:
    """Bits of a sum of `terms` integers of `bits` bits."""
    return bits + max(1, ceil(log2(terms)))


def products(count: float, terms: int, weight_bits: int = BITS) -> list[Line]:
    """`count` multiply-accumulates, each sum of `terms`."""
    return [
        Line("multiplications", count, multiply(BITS, weight_bits)),
        Line("additions", count, add(sum_bits(BITS + weight_bits, terms))),
    ]


def softmax(rows: int, keys: int, width: int) -> list[Line]:
    """Softmax over `keys` scores of `width` bits in each of the rows of all heads."""
    table = access(EXP_TABLE_BITS, EXP_TABLE_ENTRIES * EXP_TABLE_BITS)
    return [
        Line("softmax, additions", 3 * rows * keys, add(width), "score: maximum, subtraction, sum"),
        Line("softmax, exponentials", rows * keys, table, "score"),
        Line("softmax, division", DIVIDER_STEPS * rows, add(width), f"row, {DIVIDER_STEPS} subtractions"),
    ]


def scaling(results: int, width: int) -> Line:
    """Sums of `width` bits brought back to the scale of the next layer."""
    return Line("scaling of outputs", results, multiply(width, EXP_TABLE_BITS))


def attention(events: AttentionEvents, config: CoreConfig) -> Ledger:
    """A job of the token-lane core."""
    rows, keys, head_dim = events.rows, events.tokens, events.head_dim
    count, terms = 2 * rows * keys * head_dim, max(head_dim, keys)
    width = sum_bits(2 * BITS, terms)
    lane = access(BITS, config.groups * config.head_dim * 2 * BITS)
    row_buffer = access(BITS, config.head_dim * BITS * 4)
    return Ledger(
        Line("queries broadcast", 2 * rows * head_dim, row_buffer, "feature, written and read"),
        Line("key and value memory", count, lane, "lane and product"),
        Line("loads of the memories", 2 * rows * head_dim, lane, "key and value"),
        *products(count, terms),
        *softmax(rows, keys, width),
        scaling(rows * head_dim, width),
    )


def linear(events: LinearEvents, unit: LinearUnit) -> Ledger:
    """A dense layer on as many lanes with the same weights."""
    inputs, met = events.rows * events.inputs, 1 - events.skipped[0]
    count = inputs * events.outputs * met
    results = events.results * events.outputs
    terms = events.inputs * events.rows // events.results
    reads = inputs * unit.passes(events.outputs) * met
    return Ledger(
        Line("inputs", inputs + reads, access(BITS, unit.inputs * BITS), "input, written, read in each pass"),
        Line("weight memory", count, access(unit.weight_bits, unit.weight_memory), "lane and input"),
        *products(count, terms, unit.weight_bits),
        scaling(results, sum_bits(BITS + unit.weight_bits, terms)),
    )
