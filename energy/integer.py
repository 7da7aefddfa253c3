"""What an integer attention core spends: dense events at the prices of the widths really used."""

from energy.ledger import Ledger, Line
from energy.prices import Price, access, add, multiply
from golden.integer.config import IntegerConfig
from golden.integer.softmax import DISTANCE_BITS, INDEX_BITS, MANTISSA_BITS


def products(count: int, config: IntegerConfig) -> list[Line]:
    """`count` products of two codes, by the multiplier of the lanes."""
    bits = config.bits
    if config.squares:
        width = 2 * (bits + 1)
        square = access(width, width << bits + 1)
        return [Line("sums to be squared", count, add(bits + 1)), Line("squares", count, square, "product")]
    price: Price = multiply(bits, bits)
    if config.multiplier == "table":
        price = access(2 * bits, 2 * bits << 2 * bits)
    return [Line("products", count, price)]


def integer_attention(heads: int, tokens: int, head_dim: int, config: IntegerConfig) -> Ledger:
    """Ledger of the integer core for a job of this shape."""
    bits, score, context = config.bits, config.score_width, config.context_width
    rows = heads * tokens
    pairs, results = rows * tokens, rows * head_dim
    dense = pairs * head_dim
    keys = access(bits, 2 * config.tokens * bits)
    values = access(bits, 2 * config.groups * config.head_dim * bits)
    held = access(score, 2 * config.tokens * score)
    table = access(bits, bits << INDEX_BITS)
    divisor = config.normaliser_width + config.ratio_width - bits
    return Ledger(
        Line("key memory", dense, keys, "lane and key"),
        Line("value memory", dense, values, "lane, row and feature"),
        Line("loads of the memories", results, keys, "key"),
        Line("loads of the memories", results, values, "value"),
        *products(2 * dense, config),
        Line("adder tree, scores", dense, add(score)),
        Line("adder tree, context", dense, add(context)),
        Line("rows of scores", 2 * pairs, held, "score, written and read"),
        Line("softmax, maximum and distance", 2 * pairs, add(score), "score"),
        Line("softmax, step of the table", pairs, multiply(MANTISSA_BITS, DISTANCE_BITS), "score"),
        Line("softmax, exponentials", pairs, table, "score"),
        Line("softmax, normaliser", pairs, add(config.normaliser_width), "score"),
        Line("divisors", rows * config.ratio_width, add(config.normaliser_width), "row, serial"),
        Line("divisions", results * bits, add(divisor), "output and bit"),
    )
