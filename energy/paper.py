"""The paper's energy accounting, as in the authors' published code, and what their logs hold.

Source: SpikedAttention (NeurIPS 2024), section 4 and the code published with it. The float network
pays two words and a multiply-accumulate per operation and a word per output; the spiking network
pays a word, a bit of address and an addition per synaptic event, and a state update per neuron and
step in which it has not fired yet.

The prices are a table of their own, the authors': 32-bit floats, every memory access one word. They
are what `energy.prices` has for floats and for 32 bits of an 8 KiB memory.
"""

from dataclasses import dataclass

from energy.layers import Layer
from energy.ledger import Ledger, Line
from energy.prices import Price

AUTHORS = "SpikedAttention (NeurIPS 2024), published code, functions ANN_Energy and SpikeSim_Energy"
WORD_BITS = 32


def _own(operation: str, picojoule: float, formula: str = "as is") -> Price:
    return Price(operation, picojoule, formula, AUTHORS, "quoted", "SpikedAttention's own")


ADD = _own("add 32-bit floats", 0.9)
MULTIPLY = _own("multiply 32-bit floats", 3.7)
WORD = _own("a word of a memory", 5.0)
BIT = _own("a bit of a memory", 5.0 / WORD_BITS, f"a share of a word of {WORD_BITS} bits")


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


def float_arithmetic(operations: float) -> Ledger:
    """Multiply-accumulates without their memory accesses."""
    return Ledger(Line("multiplications", operations, MULTIPLY), Line("additions", operations, ADD))


def spike_arithmetic(events: float) -> Ledger:
    """Synaptic events without their memory accesses."""
    return Ledger(Line("synaptic additions", events, ADD))


def float_ledger(operations: float, outputs: float) -> Ledger:
    """The float network with dense activations."""
    memory = [
        Line("weights and activations", 2 * operations, WORD, "operation"),
        Line("outputs", outputs, WORD),
    ]
    return float_arithmetic(operations) + Ledger(*memory)


def spiking_ledger(events: float, neuron_steps: float) -> Ledger:
    """The spiking network.

    Args:
        events: synaptic events: spikes times the synapses they reach.
        neuron_steps: neurons times the steps in which they have not fired yet.
    """
    return spike_arithmetic(events) + Ledger(
        Line("weights", events, WORD, "synaptic event"),
        Line("addresses of spikes", events, BIT, "synaptic event"),
        Line("potentials", 2 * neuron_steps, WORD, "neuron and step, read and written"),
        Line("leaks", neuron_steps, MULTIPLY, "neuron and step"),
        Line("updates", 3 * neuron_steps, ADD, "neuron and step: addition, comparison, reset"),
        Line("spikes", neuron_steps, BIT, "neuron and step"),
    )


# pJ of an operation and an output of the float network, of an event and a neuron's step of the spiking one
FLOAT_OPERATION = float_ledger(1, 0).picojoule
FLOAT_OUTPUT = float_ledger(0, 1).picojoule
SPIKE_EVENT = spiking_ledger(1, 0).picojoule
NEURON_STEP = spiking_ledger(0, 1).picojoule


def float_network(counted: list[Charge]) -> Ledger:
    """The float network with these charges."""
    return float_ledger(total_operations(counted), total_outputs(counted))


def spiking_network(counted: list[Charge], activity: dict[str, Activity]) -> Ledger:
    """The spiking network from measured activity, a layer that is not listed counting as absent."""
    measured = [(charge, activity[charge.name]) for charge in counted if charge.name in activity]
    return spiking_ledger(
        sum(charge.operations * a.density for charge, a in measured),
        sum(charge.outputs * a.steps for charge, a in measured),
    )
