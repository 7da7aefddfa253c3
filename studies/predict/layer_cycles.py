"""Cycles of whole networks, layer after layer, by the cycle models of the two cores.

Attention layers run head after head, window after window, on the attention core: a few heads are
predicted exactly, and the duration of a steady one carries the rest. Dense layers run on a neuron core
of as many lanes (`sim.timing.network`); spikes per row are drawn at the measured density. The
neuron core's memories are taken to be as large as the network needs.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np

from energy.layers import Layer, layer_list
from golden.attention.config import CoreConfig
from golden.attention.job import AttentionJob, prepare
from golden.code import Spikes
from golden.errors import InputError
from golden.memory import WORD_BITS
from golden.network.reader import ReaderTiming
from golden.network.weights import HEADER
from sim.timing.attention import predict
from sim.timing.linear_layer import linear_layer
from sim.timing.weights import PacedReader, WeightTiming

# Heads predicted one by one; from the second on, durations repeat but for the number of spikes
SAMPLED_HEADS = 4
WEIGHT_BITS = 8
# Of the stream for an entry of the neuron table, as wide as that of all-MiniLM-L6-v2: 53 bits
NEURON_WORDS = 4


@dataclass(frozen=True, kw_only=True)
class LayerCycles:
    """Prediction for one layer.

    Attributes:
        name: of the layer; attention stands for its score and context products together.
        kind: attention or linear.
        cycles: from its first input to its last output.
        utilisation: share of the lanes' additions that are made, two adders per attention lane and
            one per neuron lane.
        words: of streamed weights, 0 where they are in the core or there are none.
        bound: "memory" or "lanes", what a dense layer of streamed weights waits for; "" of others.
    """

    name: str
    kind: str
    cycles: int
    utilisation: float
    words: int = 0
    bound: str = ""


def sample_job(
    heads: int, tokens: int, head_dim: int, config: CoreConfig, density: float, seed: int
) -> AttentionJob:
    """Random heads of which each spike of q, k and v is there with a probability of `density`."""
    rng = np.random.default_rng(seed)
    shape = (heads, tokens, head_dim)
    q, k, v = rng.standard_normal((3, *shape))
    job = prepare(q, k, v, config.code).job

    def thin() -> Spikes:
        fires = rng.random(shape) < density
        phase = np.where(fires, rng.integers(0, config.code.steps, shape), config.code.steps)
        return Spikes(fires.astype(np.int8), phase.astype(np.int8))

    return replace(job, q=thin(), k=thin(), v=thin())


def attention_cycles(job: AttentionJob, config: CoreConfig, heads: int) -> int:
    """Cycles of `heads` heads like those of the job, without a pause between them."""
    durations = predict(job, config).durations
    return round(int(durations[0]) + (heads - 1) * float(durations[1:].mean()))


def predict_attention(
    score: Layer, context: Layer, config: CoreConfig, density: float, seed: int
) -> LayerCycles:
    """All heads and windows of one attention."""
    keys, head_dim = context.fan_in, score.fan_in
    heads = score.outputs // keys**2
    job = sample_job(SAMPLED_HEADS, keys, head_dim, config, density, seed)
    cycles = attention_cycles(job, config, heads)
    additions = score.operations * density**2 + context.operations * density
    return LayerCycles(
        name=f"{score.name.removesuffix('.score')}.attention",
        kind="attention",
        cycles=cycles,
        utilisation=additions / (2 * config.lanes * cycles),
    )


def predict_linear(
    layer: Layer, config: CoreConfig, density: float, seed: int, reader: ReaderTiming | None = None
) -> LayerCycles:
    """A dense layer on as many neuron lanes; its weights of 8 bits come from a `reader`, if there is one."""
    outputs = layer.outputs // layer.tokens
    counts = np.random.default_rng(seed).binomial(layer.fan_in, density, layer.tokens)
    weights = None
    if reader is not None:
        words = HEADER + -(-layer.fan_in * config.lanes * WEIGHT_BITS // WORD_BITS)
        words += NEURON_WORDS * config.lanes
        weights = WeightTiming(PacedReader(reader, 0), [words] * -(-outputs // config.lanes), 0)
    times = linear_layer(counts, outputs, config.lanes, config.clusters, weights)
    fetched = times.fetched[0] if times.fetched else None
    cycles = times.potential[-1] + 1
    return LayerCycles(
        name=layer.name,
        kind="linear",
        cycles=cycles,
        utilisation=times.additions / (cycles * config.lanes),
        words=fetched.words if fetched else 0,
        bound=fetched.bound if fetched else "",
    )


def network_cycles(
    model: str,
    config: CoreConfig,
    *,
    density: float,
    dense_density: Mapping[str, float] | float,
    seed: int,
    tokens: int | None = None,
    reader: ReaderTiming | None = None,
) -> list[LayerCycles]:
    """Prediction for every attention and dense layer of a named network.

    Args:
        model: key of `energy.layers.SHAPES`.
        config: attention core; the neuron core has as many lanes.
        density: share of q, k and v that fire; every attention key is taken to survive.
        dense_density: share of the inputs of dense layers that fire: one for all, or by part of a block
            ("query", "mlp1", ...), that of "" for all others.
        seed: of the sampled heads and rows.
        tokens: sequence length of a text encoder.
        reader: of streamed weights; None where all of them are in the core.

    Raises:
        InputError: unknown model, a density out of 0..1, or heads that the core cannot hold.
    """
    parts = dict(dense_density) if isinstance(dense_density, Mapping) else {"": dense_density}
    for name, value in (("density", density), *(("dense density", value) for value in parts.values())):
        if not 0 <= value <= 1:
            raise InputError(f"{name} must be in 0..1, not {value:g}")
    layers = layer_list(model, tokens)
    found: list[LayerCycles] = []
    known: dict[tuple[int, int, int], LayerCycles] = {}
    for layer, following in zip(layers, [*layers[1:], layers[0]], strict=True):
        if layer.kind == "linear":
            part = layer.name.rpartition(".")[-1]
            found.append(predict_linear(layer, config, parts.get(part, parts[""]), seed, reader))
        elif layer.kind == "score":
            shape = (layer.outputs, layer.fan_in, following.fan_in)
            if shape not in known:
                known[shape] = predict_attention(layer, following, config, density, seed)
            name = f"{layer.name.removesuffix('.score')}.attention"
            found.append(replace(known[shape], name=name))
    return found
