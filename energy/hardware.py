"""Hardware accounting: counted events times integer energies at the widths really used, scope by scope.

Every scope is a line of its own, and what is not known is a line too. Beside each spiking layer stands
the same layer as an 8-bit multiply-accumulate array with the same data flow: one operand broadcast to
all lanes, the other read from a memory per lane; softmax by a table of exponentials.
"""

from dataclasses import dataclass
from math import ceil, log2

from energy.units import SOURCE, access, add, multiply
from golden.attention.config import CoreConfig
from golden.attention.normaliser import RATIO_WIDTH
from golden.network.neuron import LINEAR_FRACTION_BITS

MAC_BITS = 8
EXP_TABLE_ENTRIES = 256
EXP_TABLE_BITS = 16
# A serial divider: one subtraction per bit of the quotient
DIVIDER_STEPS = 16
PICOJOULES_PER_MICROJOULE = 1e6


@dataclass(frozen=True, kw_only=True)
class Scope:
    """One line of an account.

    Attributes:
        name: what is counted.
        events: how many.
        picojoule: energy of one event, None where it is not known.
        formula: how the energy of one event comes about.
        source: where the energy of one event comes from.
    """

    name: str
    events: float
    picojoule: float | None
    formula: str
    source: str = SOURCE

    @property
    def microjoule(self) -> float | None:
        """Energy of all events, None where it is not known."""
        return None if self.picojoule is None else self.events * self.picojoule / PICOJOULES_PER_MICROJOULE


@dataclass(frozen=True, kw_only=True)
class AttentionEvents:
    """What an attention core does, as counted by golden, by the cycle model or in the RTL.

    Attributes:
        heads, tokens, head_dim: shape of the job.
        query_spikes: spikes of q.
        score_additions: pairs of a query and a key spike of one feature.
        context_additions: pairs of an attention and a value spike, and the attention spikes themselves.
        window: steps of the WOSS ramp.
        cycles: from the first input to the last output; None where no one counted.
    """

    heads: int
    tokens: int
    head_dim: int
    query_spikes: float
    score_additions: float
    context_additions: float
    window: int
    cycles: int | None = None

    @property
    def rows(self) -> int:
        return self.heads * self.tokens


def mac_accumulator(fan_in: int) -> int:
    """Bits of a sum of `fan_in` products of 8-bit integers, matched like the spiking widths."""
    return 2 * MAC_BITS + max(1, ceil(log2(fan_in)))


def total(scopes: list[Scope]) -> float:
    """Microjoules of the scopes that are known."""
    return sum(scope.microjoule or 0.0 for scope in scopes)


def clock_scope(cycles: int | None, picojoule: float | None) -> Scope:
    """Clock tree and idle logic: a parameter, or explicitly unknown."""
    formula = "given pJ per cycle" if picojoule is not None else "unknown: no published figure fits this core"
    return Scope(
        name="clock and idle",
        events=cycles or 0,
        picojoule=picojoule if cycles else None,
        formula=formula,
        source="none" if picojoule is None else "given",
    )


def spiking_attention(
    events: AttentionEvents, config: CoreConfig, clock_picojoule: float | None = None
) -> list[Scope]:
    """Scopes of the token-lane core for a job."""
    steps = config.code.steps
    word = 2 + ceil(log2(steps)) if steps > 1 else 2
    lane_bits = config.groups * config.head_dim * 2 * word  # two banks: a head loads while one computes
    entry = config.code.trace_bits + 1
    table_bits = (2 * steps - 1) * entry
    keys, rows = events.tokens, events.rows
    address = max(1, ceil(log2(config.head_dim)))
    read = access(word, lane_bits)
    loads = 2 * rows * events.head_dim
    return [
        Scope(
            name="query spikes broadcast",
            events=events.query_spikes,
            picojoule=2 * access(word + address, config.head_dim * (word + address) * 4),
            formula=f"write and read {word + address} bits of the row buffer",
        ),
        Scope(
            name="key trace memory",
            events=events.query_spikes * keys,
            picojoule=read,
            formula=f"read {word} bits of {lane_bits} per lane and query spike",
        ),
        Scope(
            name="value trace memory",
            events=rows * keys * events.head_dim,
            picojoule=read,
            formula=f"read {word} bits of {lane_bits} per lane, row and feature",
        ),
        Scope(
            name="loads of the trace memories",
            events=loads,
            picojoule=read,
            formula=f"write {word} bits of {lane_bits} per key and value",
        ),
        Scope(
            name="global trace",
            events=events.score_additions + events.context_additions,
            picojoule=access(entry, table_bits),
            formula=f"{entry} bits of a table of {table_bits}",
        ),
        Scope(
            name="synaptic additions, scores",
            events=events.score_additions,
            picojoule=add(config.score_width),
            formula=f"add {config.score_width} bits",
        ),
        Scope(
            name="winner search",
            events=rows * keys * (config.score_width + 1),
            picojoule=add(1),
            formula=f"one bit per lane in each of {config.score_width + 1} steps",
        ),
        Scope(
            name="ramp",
            events=rows * keys * events.window,
            picojoule=add(config.step_width),
            formula=f"add {config.step_width} bits per lane and step; lanes that fired not subtracted",
        ),
        Scope(
            name="adder tree, context",
            events=events.context_additions,
            picojoule=add(config.context_width),
            formula=f"add {config.context_width} bits per attention and value spike",
        ),
        Scope(
            name="output thresholds",
            events=rows * config.ratio_width,
            picojoule=add(config.normaliser_width + RATIO_WIDTH),
            formula=f"{RATIO_WIDTH}-bit serial product of normaliser and ratio, per row",
        ),
        Scope(
            name="output neurons",
            events=rows * events.head_dim * steps,
            picojoule=add(config.context_width),
            formula=f"compare {config.context_width} bits with each of {steps} thresholds",
        ),
        clock_scope(events.cycles, clock_picojoule),
    ]


def mac_attention(
    events: AttentionEvents, config: CoreConfig, clock_picojoule: float | None = None
) -> list[Scope]:
    """The same job on 8-bit multiply-accumulate lanes with softmax; dense, whatever the spikes."""
    rows, keys = events.rows, events.tokens
    products = rows * keys * events.head_dim
    lane_bits = config.groups * config.head_dim * 2 * MAC_BITS
    read = access(MAC_BITS, lane_bits)
    width = mac_accumulator(max(events.head_dim, keys))
    mac = multiply(MAC_BITS, MAC_BITS) + add(width)
    return [
        Scope(
            name="queries broadcast",
            events=rows * events.head_dim,
            picojoule=2 * access(MAC_BITS, config.head_dim * MAC_BITS * 4),
            formula=f"write and read {MAC_BITS} bits of the row buffer",
        ),
        Scope(
            name="key and value memory",
            events=2 * products,
            picojoule=read,
            formula=f"read {MAC_BITS} bits of {lane_bits} per lane",
        ),
        Scope(
            name="loads of the memories",
            events=2 * rows * events.head_dim,
            picojoule=read,
            formula=f"write {MAC_BITS} bits of {lane_bits} per key and value",
        ),
        Scope(
            name="multiply-accumulates",
            events=2 * products,
            picojoule=mac,
            formula=f"{MAC_BITS} x {MAC_BITS} multiply, {width}-bit add",
        ),
        *softmax(rows, keys, events.head_dim, width),
        clock_scope(events.cycles, clock_picojoule),
    ]


def softmax(rows: int, keys: int, head_dim: int, width: int) -> list[Scope]:
    """Softmax over `keys` scores in each of the rows of all heads, with sums of `width` bits."""
    table = access(EXP_TABLE_BITS, EXP_TABLE_ENTRIES * EXP_TABLE_BITS)
    return [
        Scope(
            name="softmax, per score",
            events=rows * keys,
            picojoule=3 * add(width) + table,
            formula="maximum, subtraction, sum, and a look-up of the exponential",
        ),
        Scope(
            name="softmax, division per row",
            events=rows,
            picojoule=DIVIDER_STEPS * add(width),
            formula=f"{DIVIDER_STEPS} subtractions",
        ),
        Scope(
            name="scaling of outputs",
            events=rows * head_dim,
            picojoule=multiply(width, EXP_TABLE_BITS),
            formula=f"{width} x {EXP_TABLE_BITS} multiply",
        ),
    ]


@dataclass(frozen=True, kw_only=True)
class LinearEvents:
    """What a dense layer does: rows, sizes, and how many of its inputs fire.

    Attributes:
        rows, inputs, outputs: shape.
        spikes: input spikes of all rows.
        cycles: None where no one counted.
    """

    rows: int
    inputs: int
    outputs: int
    spikes: float
    cycles: int | None = None


def spiking_linear(events: LinearEvents, config: CoreConfig, weight_bits: int = 8) -> list[Scope]:
    """Scopes of an accumulate-only neuron core: as many lanes own the outputs and hold their weights."""
    code = config.code
    steps, denominator = code.steps, code.log2_base.denominator
    most, _ = code.octave(steps - 1)
    accumulator = weight_bits + most + max(1, ceil(log2(events.inputs)))
    potential = accumulator + LINEAR_FRACTION_BITS + 1
    memory = events.inputs * weight_bits * -(-events.outputs // config.lanes)
    neurons = events.rows * events.outputs
    synapses = events.spikes * events.outputs
    address = 2 + ceil(log2(max(2, steps))) + ceil(log2(max(2, events.inputs)))
    # A constant of c bits is added as often as it has ones: half of them
    combine = denominator * (LINEAR_FRACTION_BITS + 1) / 2
    return [
        Scope(
            name="input spikes broadcast",
            events=events.spikes,
            picojoule=2 * access(address, events.inputs * address),
            formula=f"write and read {address} bits of the spike memory",
        ),
        Scope(
            name="weight memory",
            events=synapses,
            picojoule=access(weight_bits, memory),
            formula=f"read {weight_bits} bits of {memory} per lane and spike",
        ),
        Scope(
            name="synaptic additions",
            events=synapses,
            picojoule=add(accumulator),
            formula=f"shift and add {accumulator} bits",
        ),
        Scope(
            name="combination of octave fractions",
            events=neurons,
            picojoule=combine * add(potential),
            formula=f"{denominator} accumulators times constants: {combine:g} additions of {potential} bits",
        ),
        Scope(
            name="neuron thresholds",
            events=neurons * steps,
            picojoule=add(potential),
            formula=f"compare {potential} bits with each of {steps} thresholds",
        ),
        clock_scope(events.cycles, None),
    ]


def mac_linear(events: LinearEvents, config: CoreConfig, weight_bits: int = 8) -> list[Scope]:
    """The same layer on 8-bit multiply-accumulate lanes with the same weight memories."""
    operations = events.rows * events.inputs * events.outputs
    memory = events.inputs * weight_bits * -(-events.outputs // config.lanes)
    width = mac_accumulator(events.inputs) - MAC_BITS + weight_bits
    return [
        Scope(
            name="inputs broadcast",
            events=events.rows * events.inputs,
            picojoule=2 * access(MAC_BITS, events.inputs * MAC_BITS),
            formula=f"write and read {MAC_BITS} bits of the input memory",
        ),
        Scope(
            name="weight memory",
            events=operations,
            picojoule=access(weight_bits, memory),
            formula=f"read {weight_bits} bits of {memory} per lane and input",
        ),
        Scope(
            name="multiply-accumulates",
            events=operations,
            picojoule=multiply(MAC_BITS, weight_bits) + add(width),
            formula=f"{MAC_BITS} x {weight_bits} multiply, {width}-bit add",
        ),
        Scope(
            name="scaling of outputs",
            events=events.rows * events.outputs,
            picojoule=multiply(width, EXP_TABLE_BITS),
            formula=f"{width} x {EXP_TABLE_BITS} multiply",
        ),
        clock_scope(events.cycles, None),
    ]


def crossover(densities: list[float], spiking: list[float], dense: list[float]) -> float | None:
    """Density at which the spiking energy meets the dense one, between samples linearly; None if never."""
    gaps = [s - d for s, d in zip(spiking, dense, strict=True)]
    for left in range(len(gaps) - 1):
        a, b = gaps[left], gaps[left + 1]
        if a <= 0 < b:
            return densities[left] + (densities[left + 1] - densities[left]) * -a / (b - a)
    return None
