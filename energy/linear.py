"""What accumulate-only neurons spend: counted events at the prices of the widths really used.

Beside them stands the same layer on 8-bit multiply-accumulate lanes (`energy.mac`).
"""

from dataclasses import dataclass
from math import ceil, log2

from energy.attention import spike_bits
from energy.events import LinearEvents
from energy.ledger import Ledger, Line
from energy.prices import access, add
from golden.attention.config import CoreConfig
from golden.network.config import NetworkConfig
from golden.network.limits import LEVEL_BITS, OFFSET_BITS
from golden.network.neuron import LINEAR_FRACTION_BITS, most_octaves, residue_constants
from golden.signed_digits import additions


@dataclass(frozen=True, kw_only=True)
class LinearUnit:
    """Sizes of the lanes that dense layers run on.

    Attributes:
        lanes: outputs at work at once.
        steps: T.
        weight_bits: width of a weight; weights: words of a lane's weight memory.
        inputs: entries of the memory of inputs; entry_bits: of a spike in it.
        accumulator_bits, potential_bits: of the sum of a residue, and of a neuron.
        combinations: additions that make a potential of the sums and the bias.
        neurons: entries of the table of biases and offsets.
    """

    lanes: int
    steps: int
    weight_bits: int
    weights: int
    inputs: int
    entry_bits: int
    accumulator_bits: int
    potential_bits: int
    combinations: int
    neurons: int

    @property
    def neuron_memory(self) -> int:
        """Bits of the table of biases and offsets."""
        return self.neurons * (self.potential_bits + OFFSET_BITS)

    @property
    def weight_memory(self) -> int:
        """Bits of a lane's weight memory."""
        return self.weights * self.weight_bits

    def passes(self, outputs: int) -> int:
        """How often the inputs of a row are broadcast."""
        return -(-outputs // self.lanes)


def unit_of(config: NetworkConfig) -> LinearUnit:
    """The linear unit of a network core."""
    return LinearUnit(
        lanes=config.lanes,
        steps=config.code.steps,
        weight_bits=config.weight_bits,
        weights=config.weights,
        inputs=config.most_spikes,
        entry_bits=config.feature_bits + spike_bits(config.code),
        accumulator_bits=config.accumulator_bits,
        potential_bits=config.potential_bits,
        combinations=additions(config.constants) + 1,
        neurons=config.table,
    )


def unit_for(inputs: int, outputs: int, config: CoreConfig, weight_bits: int = 8) -> LinearUnit:
    """A unit of as many lanes as an attention core, its memories as large as one layer needs, row by row."""
    code = config.code
    accumulator = weight_bits + most_octaves(code) + max(1, ceil(log2(inputs)))
    return LinearUnit(
        lanes=config.lanes,
        steps=code.steps,
        weight_bits=weight_bits,
        weights=inputs * -(-outputs // config.lanes),
        inputs=inputs,
        entry_bits=ceil(log2(max(2, inputs))) + spike_bits(code),
        accumulator_bits=accumulator,
        potential_bits=accumulator + LINEAR_FRACTION_BITS + 1,
        combinations=additions(map(int, residue_constants(code))) + 1,
        neurons=outputs,
    )


def potentials(events: LinearEvents, unit: LinearUnit) -> Ledger:
    """Spikes in, potentials made: what every layer pays, whatever becomes of them."""
    results = events.results * events.outputs
    read = events.spikes * (1 - events.skipped[1])  # in a pass
    synapses = read * events.outputs
    entry = access(unit.entry_bits, unit.inputs * unit.entry_bits)
    bias, potential = access(unit.potential_bits, unit.neuron_memory), add(unit.potential_bits)
    uses, combinations = events.spikes + read * unit.passes(events.outputs), results * unit.combinations
    return Ledger(
        Line("input spikes", uses, entry, "spike, written, read in each pass"),
        Line("weight memory", synapses, access(unit.weight_bits, unit.weight_memory), "lane and spike"),
        Line("synaptic additions", synapses, add(unit.accumulator_bits), "lane and spike, after a shift"),
        Line("bias memory", results, bias, "neuron"),
        Line("combination of octaves", combinations, potential, f"neuron, {unit.combinations} with the bias"),
    )


def thresholds(neurons: int, steps: int, memory_bits: int) -> Ledger:
    """Neurons that fire: potentials compared with thresholds from the place that the memory says."""
    return Ledger(
        Line("offset memory", neurons, access(OFFSET_BITS, memory_bits), "neuron"),
        Line("neuron thresholds", neurons * steps, add(LEVEL_BITS), f"comparison with each of {steps}"),
    )


def spiking_linear(events: LinearEvents, unit: LinearUnit) -> Ledger:
    """A layer of neurons that fire."""
    neurons = events.results * events.outputs
    return potentials(events, unit) + thresholds(neurons, unit.steps, unit.neuron_memory)
