"""The paper's energy accounting, as in the authors' published code, and what their logs hold.

Source: SpikedAttention (NeurIPS 2024), section 4 and the code published with it. The float network
pays two words and a multiply-accumulate per operation and a word per output; the spiking network
pays a word, a bit of address and an addition per synaptic event, and a state update per neuron and
step in which it has not fired yet.
"""

from dataclasses import dataclass

from energy.constants import PAPER_ADD, PAPER_MULTIPLY, PAPER_WORD, PAPER_WORD_BITS
from energy.layers import Layer

# pJ. An operation reads weight and activation; an event reads a weight and a bit of the spike's
# address; a neuron reads and writes its potential, leaks, adds, compares and resets, and its spike
# leaves as one bit.
FLOAT_OPERATION = 2 * PAPER_WORD.picojoule + PAPER_ADD.picojoule + PAPER_MULTIPLY.picojoule
FLOAT_OUTPUT = PAPER_WORD.picojoule
SPIKE_EVENT = PAPER_WORD.picojoule * (PAPER_WORD_BITS + 1) / PAPER_WORD_BITS + PAPER_ADD.picojoule
NEURON_STEP = (
    2 * PAPER_WORD.picojoule
    + PAPER_MULTIPLY.picojoule
    + 3 * PAPER_ADD.picojoule
    + PAPER_WORD.picojoule / PAPER_WORD_BITS
)

PICOJOULES_PER_MILLIJOULE = 1e9


@dataclass(frozen=True, kw_only=True)
class Charge:
    """What an accounting counts for one layer.

    Attributes:
        name: the layer.
        operations: multiply-accumulates, or synapses of the spiking network.
        outputs: values written, or neurons.
    """

    name: str
    operations: int
    outputs: int


@dataclass(frozen=True, kw_only=True)
class Activity:
    """Measured activity of a layer.

    Attributes:
        density: events per operation, 0..1.
        steps: mean number of time steps in which a neuron of the layer has not fired yet.
    """

    density: float
    steps: float


def charges(layers: list[Layer]) -> list[Charge]:
    """Every operation and output of the layers, once."""
    return [Charge(name=layer.name, operations=layer.operations, outputs=layer.outputs) for layer in layers]


def total_operations(counted: list[Charge]) -> int:
    return sum(charge.operations for charge in counted)


def total_outputs(counted: list[Charge]) -> int:
    return sum(charge.outputs for charge in counted)


def float_energy(counted: list[Charge]) -> float:
    """mJ of the float network with dense activations."""
    picojoules = FLOAT_OPERATION * total_operations(counted) + FLOAT_OUTPUT * total_outputs(counted)
    return picojoules / PICOJOULES_PER_MILLIJOULE


def spiking_energy(events: float, neuron_steps: float) -> float:
    """mJ of the spiking network.

    Args:
        events: synaptic events: spikes times the synapses they reach.
        neuron_steps: neurons times the steps in which they have not fired yet.
    """
    return (SPIKE_EVENT * events + NEURON_STEP * neuron_steps) / PICOJOULES_PER_MILLIJOULE


def network_energy(counted: list[Charge], activity: dict[str, Activity]) -> float:
    """mJ of the spiking network from measured activity, a layer that is not listed counting as absent."""
    measured = [(charge, activity[charge.name]) for charge in counted if charge.name in activity]
    return spiking_energy(
        sum(charge.operations * a.density for charge, a in measured),
        sum(charge.outputs * a.steps for charge, a in measured),
    )
