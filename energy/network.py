"""Energy of one inference of a spiking network from the events that happened, beside the same network in
8-bit multiply-accumulates, on the memories of one network core.

Where weights are streamed, both fetch them from an external memory and write them into the same memories of
the lanes, once per inference.

The norms' and the residual stream's arithmetic is on the spiking side alone, in favour of the other.
"""

from collections.abc import Iterable
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from energy import mac
from energy.attention import spike_bits, spiking_attention
from energy.events import AttentionEvents, LinearEvents, attention_events
from energy.ledger import Ledger, Line, clock_line
from energy.linear import LinearUnit, potentials, spiking_linear, thresholds, unit_of
from energy.prices import Price, access, add, external
from golden.code import Spikes
from golden.network.attention import Attention
from golden.network.blocks import spikes_read
from golden.network.config import NetworkConfig
from golden.network.layers import Linear, Norm, ScoreLinear, StreamLinear
from golden.network.limits import OFFSET_BITS
from golden.network.mean import reciprocal
from golden.network.network import Network, run_network
from golden.network.program import compile_network
from golden.network.rows import gathered
from golden.network.tensors import IMAGE
from golden.network.weights import pass_words

# How often a norm reads a row of the stream
SWEEPS = {"fixed": 1, "rms": 2, "layer": 3}


def account(
    network: Network, config: NetworkConfig, image: Spikes | NDArray[np.int64]
) -> tuple[Ledger, Ledger]:
    """Ledgers per inference, mean of what enters, [images, tokens, width].

    Returns:
        (of the spiking network, of the multiply-accumulate network of the same shape).
    """
    return whole(account_by_layer(network, config, image), image.shape[0])


def whole(layers: Iterable[tuple[Ledger, Ledger]], runs: int) -> tuple[Ledger, Ledger]:
    """Ledgers per inference of `runs` of them that `account_by_layer` counted, with clock and idle logic."""
    clock = Ledger(clock_line(None, None))
    spiking, dense = (sum(ledgers, Ledger()).mean(runs) for ledgers in zip(*layers, strict=True))
    return spiking + clock, dense + clock


def account_by_layer(
    network: Network, config: NetworkConfig, image: Spikes | NDArray[np.int64], beside: int = 1
) -> list[tuple[Ledger, Ledger]]:
    """`account` layer by layer, of all that enters together; clock and idle logic are in none.

    Args:
        beside: so many of what enters share an inference (`golden.network.rearrange.side_by_side`), and
            what streamed weights cost.
    """
    unit = unit_of(config)
    streamed = Streamed(network, config) if config.weight_stream else None
    tensors = {IMAGE: image} if isinstance(image, Spikes) else {}
    found, images = [], image.shape[0]
    for layer, output in zip(network.layers, run_network(network, image).outputs, strict=True):
        spiking, dense = Ledger(), Ledger()
        if isinstance(layer, Linear):
            source = gathered(tensors[layer.source], layer.gather, network.code.steps)
            events = linear_events(layer, source)
            if streamed is not None:
                words, skipped = streamed.layer(layer, source)
                events = replace(events, skipped=skipped)
            results = events.results * events.outputs
            if isinstance(layer, StreamLinear):
                spiking += potentials(events, unit) + Ledger(
                    Line("residual stream", 2 * results, stream(config), "neuron, read and written"),
                    Line("stream additions", results, add(config.stream_bits), "neuron"),
                )
            elif isinstance(output, Spikes):
                spiking += spiking_linear(events, unit)
            else:
                spiking += potentials(events, unit)
            dense += mac.linear(events, unit)
            if streamed is not None:
                shared = fetches(words, events, images / beside, config, unit)
                spiking, dense = spiking + shared, dense + shared
        elif isinstance(layer, Norm):
            assert isinstance(output, Spikes)
            spiking += norm(layer, output, config)
            values = access(mac.BITS, unit.inputs * mac.BITS)
            dense += Ledger(Line("norms", 2 * output.sign.size, values, "value, read twice"))
        elif isinstance(layer, Attention):
            qkv, core = tensors[layer.source], config.attention
            codes = spike_bits(network.code)
            memory = access(codes, config.most_stream_rows * config.features * codes)
            head_events = attention_events(layer.job(qkv, network.code), core)
            spiking += Ledger(Line("codes of q, k, v", 2 * qkv.sign.size, memory, "code, written and read"))
            bias, sums = core.score_width, mac.sum_bits(2 * mac.BITS, head_events.head_dim)
            spiking += spiking_attention(head_events, core) + terms(layer, head_events, config, bias, bias)
            dense += mac.attention(head_events, core) + terms(layer, head_events, config, mac.BITS, sums)
        if isinstance(output, Spikes):
            tensors[layer.target] = output
        found.append((spiking, dense))
    return found


class Streamed:
    """What passes of streamed weights bring, layer after layer."""

    def __init__(self, network: Network, config: NetworkConfig) -> None:
        self._program = compile_network(
            network, config.lanes, streamed=True, block=config.block, shared=config.shared
        )
        words = pass_words(self._program, config).tolist()
        self._passes = iter(zip(self._program.linear, words, strict=True))

    def layer(self, layer: Linear, source: Spikes) -> tuple[int, tuple[float, float]]:
        """Words of the next linear layer, neurons and headers included, and what its passes skip
        (`LinearEvents`) of the spikes [images, rows, inputs] that enter it."""
        words, left, weights, synapses = 0, layer.outputs, 0, 0
        while left:
            op, count = next(self._passes)
            words, left = words + count, left - op.outputs
            weights += op.outputs * op.inputs
            synapses += op.outputs * int(spikes_read(op, self._program.blocks, source).sum())
        spikes = source.count() * layer.outputs
        return words, (1 - weights / layer.weight.size, 1 - synapses / spikes if spikes else 0.0)


def fetches(
    words: int, events: LinearEvents, times: float, config: NetworkConfig, unit: LinearUnit
) -> Ledger:
    """Streamed weights of a layer, so many times."""
    weights = events.inputs * events.outputs * (1 - events.skipped[0])
    price = access(unit.weight_bits, unit.weight_memory)
    return Ledger(
        Line("external memory", words * times, external(config.weight_stream), "word of weights"),
        Line("loads of the weight memory", weights * times, price, "weight"),
    )


def linear_events(layer: Linear, source: Spikes) -> LinearEvents:
    """Of spikes [images, rows, inputs] that enter a layer."""
    images, tokens, inputs = source.shape
    pooled = isinstance(layer, ScoreLinear) and layer.pooled
    return LinearEvents(
        rows=images * tokens,
        inputs=inputs,
        outputs=layer.outputs,
        results=images if pooled else images * tokens,
        spikes=source.count(),
    )


def terms(
    layer: Attention, events: AttentionEvents, config: NetworkConfig, bias_bits: int, sum_bits: int
) -> Ledger:
    """Tables of bias and mask, read for every row, and the biases added to sums of `sum_bits` bits."""
    per_word, lines = config.attention.terms_per_beat, []
    words = events.rows * -(-events.tokens // per_word)
    if layer.bias is not None:
        memory = access(per_word * bias_bits, config.biases * per_word * bias_bits)
        lines += [
            Line("bias tables", words, memory, f"word of {per_word} keys"),
            Line("bias additions", events.rows * events.tokens, add(sum_bits), "score"),
        ]
    if layer.allowed is not None:
        masked = float((~layer.allowed).any(axis=(1, 2)).mean())
        memory = access(per_word, config.masks * per_word)
        lines.append(Line("masks", words * masked, memory, f"word of {per_word} keys"))
    return Ledger(*lines)


def stream(config: NetworkConfig) -> Price:
    """An access to the residual stream."""
    return access(config.stream_bits, config.most_stream_rows * config.features * config.stream_bits)


def norm(layer: Norm, output: Spikes, config: NetworkConfig) -> Ledger:
    """A norm: it reads the stream again for its mean and its deviation, then its neurons fire."""
    images, tokens, width = output.shape
    values, sweeps = output.sign.size, SWEEPS[layer.kind]
    lines = [Line("residual stream", sweeps * values, stream(config), f"value of a {layer.kind} norm")]
    if sweeps > 1:
        lines.append(Line("squares", values, add(2 * config.stream_bits), "value of a norm"))
    if layer.kind == "layer":
        means = values + (reciprocal(width).fraction.bit_count() + 1) * images * tokens
        lines.append(Line("mean additions", means, add(config.stream_bits + 8)))
    return Ledger(*lines) + thresholds(values, config.code.steps, config.offsets * OFFSET_BITS)
