"""What a key-serial attention core spends: dense events at the prices of the widths really used."""

from energy.attention import spike_bits
from energy.ledger import Ledger, Line
from energy.prices import access, add
from golden.attention.job import AttentionJob
from golden.attention.key_serial import KeySerialConfig
from golden.attention.normaliser import RATIO_WIDTH

# Words of the block RAM that holds the points
POINTS = 1 << 10


def key_serial_attention(job: AttentionJob, config: KeySerialConfig) -> Ledger:
    """Ledger of the key-serial core for a job: every pair is looked up and added, silent or not."""
    steps, word = config.code.steps, spike_bits(config.code)
    score, context = config.score_width, config.context_width
    rows = job.heads * job.tokens
    pairs, results = rows * job.tokens, rows * job.head_dim
    dense = pairs * job.head_dim
    keys = access(word, 2 * config.tokens * word)
    values = access(word, 2 * config.groups * config.head_dim * word)
    held = access(score, 2 * config.tokens * score)
    entry = config.code.trace_bits + 2
    point = access(entry, entry * POINTS)
    phase_bits, product = (steps - 1).bit_length(), add(config.normaliser_width + RATIO_WIDTH)
    return Ledger(
        Line("key memory", dense, keys, "lane and key"),
        Line("value memory", dense, values, "lane, row and feature"),
        Line("loads of the memories", results, keys, "key"),
        Line("loads of the memories", results, values, "value"),
        Line("points of the trace", 2 * dense, point, "pair of spikes, silent ones too"),
        Line("adder tree, scores", dense, add(score)),
        Line("adder tree, context", dense, add(context)),
        Line("rows of scores", 2 * pairs, held, "score, written and read"),
        Line("spike shift, winner and distance", 2 * pairs, add(score), "score"),
        Line("spike shift, phases", pairs * phase_bits, add(config.step_width), "score and bit"),
        Line("normaliser", pairs, add(config.normaliser_width), "score"),
        Line("output thresholds", rows * RATIO_WIDTH, product, "row, normaliser times ratio, serial"),
        Line("output neurons", results * steps, add(context), f"comparison with {steps} thresholds"),
    )
