"""Networks whose comparisons are close: one unit less, or more, and a spike would move.

Of a network only what is compared with is changed, layer by layer, on what its own images make of it:
thresholds of neurons, the lists that fall, ramp steps and output ratios of heads. Each is set to the last
value with which a neuron, a key or an output still fires at its phase, or to the first with which it does
not, so that a wrong bit of any weight moves a spike. What is added to the stream is rounded as closely, and
some streams are so small that each of their bits moves the deviation of a row. Sizes and weights stay, and
no bound grows.
"""

from dataclasses import replace
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from golden.attention.job import AttentionSpikes, compute
from golden.attention.normaliser import MAX_RATIO, RATIO_FRACTION_BITS
from golden.attention.woss import MAX_RAMP_STEP
from golden.code import PhaseCode, Spikes
from golden.network.attention import Attention
from golden.network.layers import Norm, SpikingLinear, StreamLinear
from golden.network.limits import MAX_FALL, MAX_OFFSET, MAX_SHIFT
from golden.network.network import Network
from golden.network.norm import centred, row_shift
from golden.network.octave import NOWHERE, octave_code, resolution
from golden.network.rows import gathered_rows
from golden.network.tensors import IMAGE, Layer, Run

Fires = TypeVar("Fires", SpikingLinear, Norm)

# Shares of lists, neurons, ramps, outputs, and networks with small streams
LISTS, NEURONS, RAMPS, RATIOS, SMALL = 0.5, 0.7, 0.7, 0.7, 0.4
# Most bits of what a layer adds to a small stream
SMALL_BITS = 6


def close(network: Network, entry: Spikes | NDArray[np.int64], rng: np.random.Generator) -> Network:
    """The network with close comparisons for what enters, [images, tokens, width]."""
    run = Run(network.code, compute, lambda stream: stream)
    if isinstance(entry, Spikes):
        run.enter(IMAGE, entry, None)
    else:
        run.begin_stream(entry, None)
    layers: list[Layer] = []
    small = rng.random() < SMALL
    for layer in network.layers:
        closer = layer
        if isinstance(layer, Attention):
            closer = _attention(layer, run, rng)
        elif isinstance(layer, SpikingLinear):
            closer = _thresholds(
                layer, layer.potentials(layer.inputs(run), run.code), np.zeros(1, np.int64), run, rng
            )
        elif isinstance(layer, StreamLinear):
            closer = _sums(layer, layer.potentials(layer.inputs(run), run.code), small, rng)
        elif isinstance(layer, Norm):
            stream = run.stream if layer.gather is None else gathered_rows(run.stream, layer.gather, 0)
            values = centred(stream, layer.kind)
            shift = row_shift(values, layer.kind, run.code)[..., None]
            closer = _thresholds(layer, values, shift, run, rng)
        layers.append(closer)
        closer.run(run)
    return replace(network, layers=tuple(layers))


def _thresholds(
    layer: Fires,
    values: NDArray[np.int64],
    shift: NDArray[np.int64] | np.int64,
    run: Run,
    rng: np.random.Generator,
) -> Fires:
    """With first thresholds such that one of the values [..., width] just reaches a level, or does not."""
    place = octave_code(values, resolution(run.code.log2_base))
    width = place.shape[-1]
    there = (place != NOWHERE).reshape(-1, width)
    reached = (place - shift).reshape(-1, width)
    levels = _levels(run.code, rng) if rng.random() < LISTS else layer.levels
    offset = layer.offset.copy()
    for neuron in np.flatnonzero(there.any(axis=0) & (rng.random(width) < NEURONS)):
        value = rng.choice(reached[there[:, neuron], neuron])
        found = value - rng.choice(levels) + rng.integers(2)
        if abs(found) <= MAX_OFFSET:
            offset[neuron] = found
    return replace(layer, levels=levels, offset=offset)


def _sums(
    layer: StreamLinear, values: NDArray[np.int64], small: bool, rng: np.random.Generator
) -> StreamLinear:
    """With biases at which one of the potentials [images, rows, outputs] is just rounded up, or just down."""
    shift, bias = layer.shift.copy(), layer.bias.copy()
    if small:
        bits = np.ceil(np.log2(1 + np.abs(values).max(axis=(0, 1)))).astype(np.int64)
        shift = np.clip(bits - rng.integers(1, SMALL_BITS, len(bits)), shift, MAX_SHIFT)
    for output in np.flatnonzero(rng.random(len(shift)) < NEURONS):
        row = int(rng.integers(values.shape[1]))
        at = output if bias.ndim == 1 else (row, output)
        one = int(shift[output])
        above = int(rng.choice(values[:, row, output])) + (1 << one >> 1) & (1 << one) - 1
        # towards zero only
        down, up = above + int(rng.integers(2)), (1 << one) - above - int(rng.integers(2))
        if 0 < down <= bias[at]:
            bias[at] -= down
        elif 0 < up <= -bias[at]:
            bias[at] += up
    return replace(layer, shift=shift, bias=bias)


def _levels(code: PhaseCode, rng: np.random.Generator) -> NDArray[np.int64]:
    """Any list that falls, not far or down to the least level."""
    most = int(np.exp(rng.uniform(np.log(code.steps), np.log(MAX_FALL))))
    return -np.append(0, np.sort(rng.integers(0, most + 1, code.steps - 1)))


def _attention(layer: Attention, run: Run, rng: np.random.Generator) -> Attention:
    job = layer.job(run.spikes[layer.source], run.code)
    step = layer.ramp_step.copy()
    found = compute(job)
    allowed = np.ones(found.score.shape, bool) if job.allowed is None else job.allowed
    late = np.where(allowed, (found.winner[..., None] - found.score) << run.code.ramp_bits, 0)
    for head in range(layer.heads):
        behind = late[head :: layer.heads]
        behind = behind[behind > 0]
        if behind.size and rng.random() < RAMPS:
            step[head] = _step(int(rng.choice(behind)), int(rng.integers(job.window)), rng)
    layer = replace(layer, ramp_step=step)
    found = compute(layer.job(run.spikes[layer.source], run.code))
    ratio = [
        _ratio(found, head, layer.heads, run.code, rng) if rng.random() < RATIOS else layer.ratio[head]
        for head in range(layer.heads)
    ]
    return replace(layer, ratio=np.array(ratio, np.int64))


def _step(late: int, time: int, rng: np.random.Generator) -> int:
    """The least ramp step with which a key that is so late fires by some time, or one less."""
    least = 2 * late // (2 * time + 1)
    while least // 2 + time * least < late:
        least += 1
    return min(least - int(rng.integers(2)), MAX_RAMP_STEP)


def _ratio(
    found: AttentionSpikes, head: int, heads: int, code: PhaseCode, rng: np.random.Generator
) -> NDArray[np.int64]:
    """Falling output ratios [b], each the largest with which an output still fires, or one more."""
    context = np.abs(found.context[head::heads])
    normaliser = np.broadcast_to(found.normaliser[head::heads, :, None], context.shape)
    context, normaliser = context[context > 0], normaliser[context > 0]
    # of every output and phase, by the residue of the phase
    exact: dict[int, NDArray[np.int64]] = {}
    for phase in range(code.steps):
        octaves, residue = code.octave(phase)
        shift = RATIO_FRACTION_BITS + octaves
        inside = context <= MAX_RATIO * normaliser >> shift
        fits = (context[inside] << shift) // normaliser[inside]
        exact[residue] = np.append(exact.get(residue, fits[:0]), fits[fits > 0])
    count = code.log2_base.denominator
    started = [residue for residue, fits in exact.items() if fits.size]
    first = int(rng.integers(1, MAX_RATIO + 1))
    if started:
        residue = int(rng.choice(started))
        first = int(rng.choice(exact[residue]) * 2 ** (residue / count))
    wanted = np.clip((first * 2.0 ** -(np.arange(count) / count)).astype(np.int64), 1, MAX_RATIO)
    for residue in started:
        fits = exact[residue]
        near = fits[np.abs(np.log2(fits / wanted[residue])).argmin()]
        wanted[residue] = min(int(near) + int(rng.integers(2)), MAX_RATIO)
    return wanted
