"""What the ratio of a float to a stochastic attention layer owes to assumptions, one at a time."""

from collections.abc import Callable
from dataclasses import dataclass, replace

from energy.constants import ADDER_BIT
from energy.hardware import Scope, mac_accumulator, softmax, total
from energy.stochastic import PAPER_RATIOS, Account, Layer, float_attention, stochastic_attention
from golden.stochastic.plan import RandomPlan

BITS = 8


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
    numbers, spikes = float_attention(layer, BITS), stochastic_attention(layer, register_picojoule)
    unshared = stochastic_attention(layer, register_picojoule, RandomPlan(score="unit"))
    tree = adder_tree_bits(layer.tokens)
    outputs = layer.steps * layer.values
    busy = _changed(
        spikes,
        "row adders",
        lambda scope: replace(scope, events=tree * outputs, picojoule=ADDER_BIT.picojoule),
    )
    half = _changed(spikes, "AND gates", lambda scope: replace(scope, picojoule=(scope.picojoule or 0) / 2))
    unbuffered = _changed(spikes, "values that wait", lambda scope: replace(scope, events=0))
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
    gates = next(scope for scope in spikes.compute if scope.name == "AND gates")
    gates_energy, compute = gates.microjoule or 0.0, total(spikes.compute)
    left = total(numbers.compute) / PAPER_RATIOS["compute"] - (compute - gates_energy)
    fraction = left / gates_energy if left > 0 else None
    return Sensitivity(
        ratios={
            name: {
                "compute": total(above.compute) / total(below.compute),
                "memory": total(above.memory) / total(below.memory),
            }
            for name, (above, below) in pairs.items()
        },
        and_share=gates_energy / compute,
        and_picojoule=None if fraction is None else fraction * (gates.picojoule or 0),
        and_fraction=fraction,
    )


def adder_tree_bits(inputs: int) -> int:
    """Bits of all adders that sum `inputs` spikes as a balanced tree."""
    if inputs == 1:
        return 0
    more = inputs - inputs // 2
    return adder_tree_bits(inputs // 2) + adder_tree_bits(more) + more.bit_length()


def _changed(account: Account, name: str, change: Callable[[Scope], Scope]) -> Account:
    def lines(scopes: list[Scope]) -> list[Scope]:
        return [change(scope) if scope.name == name else scope for scope in scopes]

    return Account(compute=lines(account.compute), memory=lines(account.memory))


def _with_softmax(layer: Layer, numbers: Account) -> Account:
    """Softmax between Q K^T and S V: it reads every score and writes it back."""
    width = mac_accumulator(max(layer.head_dim, layer.tokens))
    scopes = softmax(layer.heads * layer.tokens, layer.tokens, layer.head_dim, width)
    twice = _changed(numbers, "scores", lambda scope: replace(scope, events=2 * scope.events))
    return Account(compute=[*numbers.compute, *scopes], memory=twice.memory)
