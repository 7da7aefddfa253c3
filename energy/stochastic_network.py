"""Energy of one inference of a stochastic network from the spikes that happened, beside the same network in
8-bit multiply-accumulates, on the memories of one core. Where weights are streamed, both fetch them once per
inference from an external memory and write them into the same memories.

Spikes are words of as many bits as there are lanes; a spike reads a weight of every neuron of a pass.
Attention is counted as in `energy.stochastic`, its scores by their expectation. Leak, current and threshold
are one addition. The other side has one pass per layer instead of T, and pays for no residual stream, no norm
and no softmax.
"""

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from energy import mac
from energy.events import LinearEvents
from energy.ledger import Ledger, Line, clock_line
from energy.linear import LinearUnit
from energy.prices import access, add, external
from energy.stochastic import Layer, float_attention, stochastic_attention
from golden.stochastic.descriptors import Kind, LayerOp
from golden.stochastic.inference import infer
from golden.stochastic.network import SpikingNetwork, Trains
from golden.stochastic.network_config import PLANES, WEIGHT_BITS, StochasticNetworkConfig
from golden.stochastic.program import bit_planes, check_fit
from golden.stochastic.weights import words_of_pass


def account(
    network: SpikingNetwork, config: StochasticNetworkConfig, images: NDArray[np.uint8], steps: int
) -> tuple[Ledger, Ledger]:
    """Ledgers per inference, mean of images uint8 [images, side, side, channels] in `steps` time steps.

    Returns:
        (of the spiking network, of the multiply-accumulate network of the same shape).

    Raises:
        InputError: the core cannot hold the network.
    """
    program, shape = check_fit(network, steps, config), network.shape
    trains: dict[str, Trains] = {"image": bit_planes(network, images)}
    infer(network, images, steps, config.plan, trains.__setitem__)
    spiking, dense = Ledger(), Ledger()
    largest = max(side**2 * features for _, side, features in shape.convolutions.values())
    unit = LinearUnit(
        lanes=config.lanes, steps=steps, weight_bits=WEIGHT_BITS, weights=config.weights,
        inputs=max(largest, shape.tokens * max(shape.width, shape.hidden)), entry_bits=1,
        accumulator_bits=config.accumulator_bits, potential_bits=config.potential_bits, combinations=0,
        neurons=config.biases,
    )  # fmt: skip
    of_layers = zip(program.layers, program.reads, program.writes, program.gathers, strict=True)
    for op, reads, writes, gather in of_layers:
        rows, spikes = len(images) * op.rows, trains[reads]
        if gather is not None:
            of_row = spikes.sum(axis=(0, 1, 3))
            spikes = np.where(gather >= 0, of_row[gather], 0)
        outputs = (op.passes - 1) * config.lanes + op.outputs
        events = LinearEvents(
            rows=rows, inputs=network.arrays[f"{writes[0]}_weight"].shape[1], outputs=outputs,
            results=len(images) if op.kind is Kind.scores else rows, spikes=int(spikes.sum()),
        )  # fmt: skip
        spiking += layer(op, events, config)
        dense += mac.linear(events, unit)
        if config.weight_stream:
            shared = times(fetches(op, config), len(images))
            spiking, dense = spiking + shared, dense + shared
    word = access(config.lanes, config.spikes * config.lanes)
    for block in range(shape.depth):
        q, k, v = (heads(trains[f"block{block}_{name}"], shape.head_dim) for name in "qkv")
        of_block = Layer(
            heads=shape.heads, tokens=shape.tokens, head_dim=shape.head_dim, steps=steps,
            rate=float(np.mean([q.mean(), k.mean(), v.mean()])),
            # a score spikes with the share of features in which query and key do
            score_rate=float((q.mean(axis=-2) * k.mean(axis=-2)).mean()),
        )  # fmt: skip
        counted, floats = stochastic_attention(of_block, plan=config.plan), float_attention(of_block, 8)
        slots = steps * shape.heads * shape.tokens
        one = Ledger(
            *(line for line in counted.compute.lines if line.name != clock_line(None, None).name),
            counted.memory.line("values that wait"),
            Line("spike memory", 4 * slots, word, "word, three read and one written for a head and row"),
        )
        spiking += times(one, len(images))
        dense += times(floats.compute + floats.memory, len(images))
    clock = Ledger(clock_line(None, None))
    return spiking.mean(len(images)) + clock, dense.mean(len(images)) + clock


def layer(op: LayerOp, events: LinearEvents, config: StochasticNetworkConfig) -> Ledger:
    """A layer of LIF neurons, or class scores, that reads so many spikes."""
    entry, steps = op.kind is Kind.entry, op.steps
    word = access(config.lanes, config.spikes * config.lanes)
    read = op.passes * events.rows * op.words * (PLANES if entry else steps)
    synapses, biases = events.spikes * events.outputs, events.rows * events.outputs * (1 if entry else steps)
    total, bias = add(config.accumulator_bits), access(config.bias_bits, config.biases * config.bias_bits)
    lines = [
        Line("spike memory", read, word, "word, read in each pass"),
        Line("weight memory", synapses, access(WEIGHT_BITS, config.weights * WEIGHT_BITS), "lane and spike"),
        Line("synaptic additions", synapses, total, "lane and spike"),
        Line("bias memory", biases, bias, "neuron, step"),
        Line("bias additions", biases, total, "neuron, step"),
    ]
    neurons = events.rows * events.outputs * steps
    if op.kind is not Kind.scores:
        lines += [
            Line("leak and current", neurons, add(config.potential_bits), "neuron, step"),
            Line("spike memory", events.rows * steps * op.passes, word, "word, written"),
        ]
    if op.begins or op.kind is Kind.stream:
        memory = access(config.stream_bits, config.stream * config.stream_bits)
        lines.append(Line("residual stream", neurons * (1 if op.begins else 2), memory, "neuron, step"))
    return Ledger(*lines)


def fetches(op: LayerOp, config: StochasticNetworkConfig) -> Ledger:
    """Streamed weights of a layer, once."""
    words = op.passes * words_of_pass(op.inputs, config)
    price = access(WEIGHT_BITS, config.weights * WEIGHT_BITS)
    return Ledger(
        Line("external memory", words, external(config.weight_stream), "word of weights"),
        Line("loads of the weight memory", op.passes * op.inputs * config.lanes, price, "weight"),
    )


def heads(trains: Trains, head_dim: int) -> NDArray[np.float64]:
    """Trains [steps, images, tokens, width] as numbers [steps, images, heads, tokens, head_dim]."""
    return trains.reshape(*trains.shape[:3], -1, head_dim).swapaxes(2, 3).astype(np.float64)


def times(ledger: Ledger, runs: int) -> Ledger:
    """Of `runs` such runs."""
    return Ledger(*(replace(line, count=line.count * runs) for line in ledger.lines))
