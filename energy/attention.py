"""What an attention core spends: counted events at the prices of the widths really used.

Beside it stands the same job on 8-bit multiply-accumulate lanes (`energy.mac`).
"""

from math import ceil, log2

from energy.events import AttentionEvents
from energy.ledger import Ledger, Line
from energy.prices import access, add
from golden.attention.config import CoreConfig
from golden.attention.normaliser import RATIO_WIDTH
from golden.code import PhaseCode


def spike_bits(code: PhaseCode) -> int:
    """Bits of a stored spike: whether it is there, its sign, its phase."""
    return 2 + (code.steps - 1).bit_length()


def spiking_attention(events: AttentionEvents, config: CoreConfig) -> Ledger:
    """Ledger of the token-lane core for a job."""
    steps, word = config.code.steps, spike_bits(config.code)
    lane_bits = config.groups * config.head_dim * 2 * word  # two banks: a head loads while one computes
    entry = config.code.trace_bits + 1
    keys, rows = events.tokens, events.rows
    row_entry = word + max(1, ceil(log2(config.head_dim)))
    trace, row_buffer = access(word, lane_bits), access(row_entry, config.head_dim * row_entry * 4)
    point = access(entry, (2 * steps - 1) * entry)
    traced = events.score_additions + events.context_additions
    product = add(config.normaliser_width + RATIO_WIDTH)
    context, comparisons = add(config.context_width), rows * events.head_dim * steps
    return Ledger(
        Line("query spikes broadcast", 2 * events.query_spikes, row_buffer, "query spike, written and read"),
        Line("key trace memory", events.query_spikes * keys, trace, "lane and query spike"),
        Line("value trace memory", rows * keys * events.head_dim, trace, "lane, row and feature"),
        Line("loads of the trace memories", 2 * rows * events.head_dim, trace, "key and value"),
        Line("global trace", traced, point, "synaptic or context addition"),
        Line("synaptic additions, scores", events.score_additions, add(config.score_width)),
        Line("winner search", rows * keys * (config.score_width + 1), add(1), "lane and bit of a score"),
        Line("ramp", rows * keys * events.window, add(config.step_width), "lane and step, fired or not"),
        Line("adder tree, context", events.context_additions, context, "attention and value spike"),
        Line("output thresholds", rows * config.ratio_width, product, "row, normaliser times ratio, serial"),
        Line("output neurons", comparisons, context, f"comparison with {steps} thresholds"),
    )
