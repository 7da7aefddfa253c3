"""Energy of one inference from the events that happened, beside an 8-bit multiply-accumulate network.

    energy = sum over kinds of event of  count * picojoule(event)

Additions scale with their width from the 32-bit one, memory accesses with their width from a 64-bit
access to a memory of 8 or 32 KiB. Clock tree, leakage, wires and control are not in it, and neither
is the softmax of the multiply-accumulate network.
"""

from dataclasses import dataclass

import numpy as np

from energy.constants import INT8_MULTIPLY, INT32_ADD, MEMORY_READ, MEMORY_READ_BITS
from golden.attention.job import compute
from golden.code import Spikes
from golden.network.config import NetworkConfig
from golden.network.layers import Attention, Linear, Norm, ScoreLinear, StreamLinear
from golden.network.limits import LEVEL_BITS, OFFSET_BITS
from golden.network.mean import reciprocal
from golden.network.network import Network, run_network
from golden.network.tensors import IMAGE
from golden.signed_digits import additions


@dataclass(frozen=True)
class Price:
    """pJ of an event, and how it comes about; the constants are those of `energy.constants`."""

    picojoule: float
    formula: str


def add(bits: int) -> Price:
    """An addition or comparison of this width."""
    return Price(INT32_ADD.picojoule * bits / 32, f"add {bits} bits: share of a 32-bit addition")


def multiply() -> Price:
    return Price(INT8_MULTIPLY.picojoule, "multiply 8 x 8 bits")


def small(bits: int) -> Price:
    """An access of this width to a memory of up to 8 KiB."""
    return access(bits, 8)


def large(bits: int) -> Price:
    """An access of this width to a memory of 32 KiB: weights."""
    return access(bits, 32)


def access(bits: int, kibibytes: int) -> Price:
    whole = MEMORY_READ[kibibytes * 1024].picojoule
    return Price(
        whole * bits / MEMORY_READ_BITS, f"{bits} bits: share of {MEMORY_READ_BITS} of {kibibytes} KiB"
    )


@dataclass(frozen=True)
class Event:
    """A kind of event: how often per inference, and what each costs."""

    name: str
    count: float
    price: Price

    @property
    def total(self) -> float:
        """pJ per inference."""
        return self.count * self.price.picojoule


class Ledger:
    """Adds up events by name; a name has one price."""

    def __init__(self) -> None:
        self.counts: dict[str, float] = {}
        self.prices: dict[str, Price] = {}

    def add(self, name: str, count: float, price: Price) -> None:
        self.counts[name] = self.counts.get(name, 0.0) + float(count)
        assert self.prices.setdefault(name, price) == price, f"{name} has two prices"

    def events(self, images: int) -> list[Event]:
        return [Event(name, count / images, self.prices[name]) for name, count in self.counts.items()]


def account(network: Network, config: NetworkConfig, image: Spikes) -> tuple[list[Event], list[Event]]:
    """Events per inference of images [images, tokens, pixels].

    Returns:
        (of the spiking network, of the multiply-accumulate network of the same shape).
    """
    spiking, dense = Ledger(), Ledger()
    images, steps = image.shape[0], network.code.steps
    spike_bits = 2 + (steps - 1).bit_length()
    tensors: dict[str, Spikes] = {IMAGE: image}

    def neurons(count: int, offset_bits: int) -> None:
        spiking.add("threshold comparisons", count * steps, add(LEVEL_BITS))
        spiking.add("offset reads", count, small(offset_bits))

    for layer, output in zip(network.layers, run_network(network, image).outputs, strict=True):
        if isinstance(layer, Linear):
            source, outputs = tensors[layer.source], layer.outputs
            synapses = source.count() * outputs
            spiking.add("synaptic additions", synapses, add(config.accumulator_bits))
            spiking.add("weight reads", synapses, large(network.weight_bits))
            passes = -(-outputs // config.lanes)
            spiking.add("spike reads", source.count() * passes, small(8 + spike_bits))
            rows = images if isinstance(layer, ScoreLinear) else images * network.tokens
            combined = rows * outputs * (additions(config.constants) + 1)
            spiking.add("combination and bias", combined, add(config.potential_bits))
            spiking.add("bias reads", rows * outputs, small(config.potential_bits))
            if isinstance(layer, StreamLinear):
                spiking.add("stream reads and writes", 2 * rows * outputs, small(config.stream_bits))
                spiking.add("stream additions", rows * outputs, add(config.stream_bits))
            elif isinstance(output, Spikes):
                neurons(rows * outputs, OFFSET_BITS)
                spiking.add("spike writes", output.count(), small(8 + spike_bits))
            macs = images * network.tokens * layer.weight.size
            dense.add("multiplications", macs, multiply())
            dense.add("additions", macs, add(32))
            dense.add("weight reads", macs, large(8))
            dense.add("activation reads", macs / config.lanes, small(8))
            dense.add("activation writes", rows * outputs, small(8))
        elif isinstance(layer, Norm):
            assert isinstance(output, Spikes)
            sweeps = {"fixed": 1, "rms": 2, "layer": 3}[layer.kind]
            spiking.add("stream reads and writes", sweeps * output.sign.size, small(config.stream_bits))
            spiking.add("squares", (sweeps > 1) * output.sign.size, add(2 * config.stream_bits))
            if layer.kind == "layer":
                constant = reciprocal(output.sign.shape[-1]).fraction.bit_count() + 1
                means = output.sign.size + constant * images * network.tokens
                spiking.add("mean additions", means, add(config.stream_bits + 8))
            neurons(output.sign.size, OFFSET_BITS)
            spiking.add("spike writes", output.count(), small(8 + spike_bits))
            dense.add("activation reads", 2 * output.sign.size, small(8))
        elif isinstance(layer, Attention):
            attention_events(layer, network, config, tensors[layer.source], spiking, dense)
        if isinstance(output, Spikes):
            tensors[layer.target] = output
    return spiking.events(images), dense.events(images)


def attention_events(
    layer: Attention, network: Network, config: NetworkConfig, qkv: Spikes, spiking: Ledger, dense: Ledger
) -> None:
    """Events of one attention layer."""
    job = layer.job(qkv, network.code)
    result = compute(job)
    core, steps = config.attention, network.code.steps
    heads, tokens, width = job.q.shape
    q, k, v = (np.abs(s.sign.astype(np.int64)) for s in (job.q, job.k, job.v))
    alive = (result.attn_phase >= 0).astype(np.int64)
    pairs = (q.sum(axis=1) * k.sum(axis=1)).sum()
    spiking.add("score additions", pairs, add(core.score_width))
    spiking.add("trace reads", q.sum() * tokens + heads * tokens * (width + 1) * tokens, small(6))
    spiking.add("winner search, bits", heads * tokens * tokens * core.score_width, add(1))
    spiking.add("ramp comparisons", heads * tokens * tokens * steps, add(core.score_width))
    context = (alive.sum(axis=1)[:, :, None] * v).sum() + alive.sum()
    spiking.add("context and tree additions", context, add(core.context_width))
    spiking.add("threshold comparisons", job.q.sign.size * steps, add(LEVEL_BITS))
    spiking.add("spike writes", result.out.count() + qkv.count(), small(8 + 2 + (steps - 1).bit_length()))
    macs = 2 * heads * tokens * tokens * width
    dense.add("multiplications", macs, multiply())
    dense.add("additions", macs, add(32))
    dense.add("activation reads", 2 * macs / tokens, small(8))
