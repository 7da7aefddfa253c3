"""What the ratio of a float to a stochastic attention layer owes to assumptions, one at a time."""

from dataclasses import dataclass, replace

from energy import mac
from energy.ledger import Ledger
from energy.stochastic import PAPER_RATIOS, Account, Layer, float_attention, stochastic_attention
from golden.stochastic.plan import RandomPlan


@dataclass(frozen=True, kw_only=True)
class Sensitivity:
    """How the ratios move.

    Attributes:
        ratios: changed assumption -> energy of the 8-bit float network over the stochastic one's, by part.
        and_share: share of the AND gates, whose constant is assumed, in the stochastic compute.
        and_picojoule: energy of an AND gate at which the compute ratio is the paper's; None where
            the other lines alone are more than that.
        and_fraction: the same as a fraction of the assumed constant.
    """

    ratios: dict[str, dict[str, float]]
    and_share: float
    and_picojoule: float | None
    and_fraction: float | None


def sensitivity(layer: Layer, register_picojoule: float | None = None) -> Sensitivity:
    """Change one assumption at a time.

    Args:
        layer, register_picojoule: see `energy.stochastic.stochastic_attention`.
    """
    numbers, spikes = float_attention(layer, 8), stochastic_attention(layer, register_picojoule)
    unshared = stochastic_attention(layer, register_picojoule, RandomPlan(score="unit"))
    gates = spikes.compute.line("AND gates")
    gate = gates.price.picojoule or 0
    tree = adder_tree_bits(layer.tokens) * layer.steps * layer.values
    busy = replace(spikes, compute=spikes.compute.changed("row adders", count=tree))
    half = replace(
        spikes, compute=spikes.compute.changed("AND gates", price=replace(gates.price, picojoule=gate / 2))
    )
    unbuffered = replace(spikes, memory=spikes.memory.changed("values that wait", count=0))
    softer = _with_softmax(layer, numbers)
    pairs = {
        "as counted": (numbers, spikes),
        "AND gates at half their constant": (numbers, half),
        "a generator per score, none shared": (numbers, unshared),
        "every bit of the row adders, at every output": (numbers, busy),
        "softmax charged to the float network": (softer, spikes),
        "no memory for values that wait": (numbers, unbuffered),
        "both of these": (softer, unbuffered),
    }
    share = Ledger(gates).over(spikes.compute)
    # Of the price of a gate, in units of it, at which the ratio is the paper's
    fraction = (numbers.compute.over(spikes.compute) / PAPER_RATIOS["compute"] - 1 + share) / share
    return Sensitivity(
        ratios={
            name: {"compute": above.compute.over(below.compute), "memory": above.memory.over(below.memory)}
            for name, (above, below) in pairs.items()
        },
        and_share=share,
        and_picojoule=fraction * gate if fraction > 0 else None,
        and_fraction=fraction if fraction > 0 else None,
    )


def adder_tree_bits(inputs: int) -> int:
    """Bits of all adders that sum `inputs` spikes as a balanced tree."""
    if inputs == 1:
        return 0
    more = inputs - inputs // 2
    return adder_tree_bits(inputs // 2) + adder_tree_bits(more) + more.bit_length()


def _with_softmax(layer: Layer, numbers: Account) -> Account:
    """Softmax between Q K^T and S V: it reads every score and writes it back."""
    width = mac.sum_bits(2 * mac.BITS, layer.most_terms)
    rows, scores = layer.heads * layer.tokens, numbers.memory.line("scores")
    extra = [*mac.softmax(rows, layer.tokens, width), mac.scaling(layer.values, width)]
    return Account(
        compute=numbers.compute + Ledger(*extra),
        memory=numbers.memory.changed("scores", count=2 * scores.count),
    )
