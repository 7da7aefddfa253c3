"""Cycle model of a core for stochastic networks: when the scores of every image leave.

Cycle n is what is sampled at clock edge n. Inputs are offered without a pause, scores are taken at once.
Nothing overlaps but what lies within a layer: layers, attention and scores follow one another.

A layer reads the words of every row and time step once per pass; a row by index that is none is a word
without spikes. As many spikes of a word leave in a cycle as the weight memory has ports; the biases, in the
first word of a step, count as one. The first word of a step and the last take a cycle at least. Others
without spikes are passed over, one in each cycle of the word before them but its last; the rest take a cycle.
Pixels are words of bit planes, each plane a step, the first with the biases; only the last plane ends with a
cycle at least, and behind it stands a cycle per time step but the first.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from golden.network.reader import ReaderTiming
from golden.stochastic.descriptors import HeadsOp, Kind, LayerOp
from golden.stochastic.network_config import StochasticNetworkConfig
from sim.timing.image_times import ImageTimes, Segment
from sim.timing.stochastic import SCORE_LATENCY, output_latency
from sim.timing.weights import LayerFetch, WeightTiming, reader_from

# From the last beat of the load stream to the first bits of an image
LOADED = 1
# From the last bits of an image, or the end of what came before, to the first spike of a layer; from its last
# spike to its end: what it made is in memory
FETCH, SETTLE = 6, 8
# Where weights are streamed: from the end of what came before to when a layer wants weights; from when a pass
# has them to its first spike; from its last to the end of the pass
FETCHED, TAKEN, DRAINED = 3, 4, 1
# Rows by index are two stages more between the two
MAPPED = 2
# From the end of a layer to the first score, and from a score to the next
FIRST_SCORE, SCORE = 2, 2
# Of a head and time step beside a cycle per word read and per feature
READ = 1


def word_cycles(beats: NDArray[np.int64]) -> int:
    """Cycles of the words of steps, int64 [..., words], each of which takes `beats`, the first not zero.

    Those of zero fall into the cycles of a word before them, of which all but the last have room for one.
    """
    cycles, room = int(beats.sum()), np.zeros(beats.shape[:-1], np.int64)
    for word in np.moveaxis(beats, -1, 0):
        cycles += int(np.count_nonzero((word == 0) & (room == 0)))
        room = np.where(word > 0, word - 1, np.maximum(room - 1, 0))
    return cycles


def layer_cycles(
    op: LayerOp, counts: NDArray[np.integer], outputs: int, ports: int, times: ImageTimes
) -> int:
    """Cycles in which a layer sends its words.

    Args:
        counts: spikes of the words of its source, [rows, steps or planes, words].
        outputs: of the layer.
        ports: of the weight memory.
        times: where broadcasts and additions are added.
    """
    entry = op.kind is Kind.entry
    inputs = counts.astype(np.int64)
    biases = len(counts) * (1 if entry else op.steps)
    times.broadcasts += op.passes * int(inputs.sum())
    times.additions += outputs * (int(inputs.sum()) + biases)
    biased, firing = (np.s_[:, :1], np.s_[:, -1:]) if entry else (np.s_[:], np.s_[:])
    inputs[biased][..., 0] += 1
    beats = -(-inputs // ports)
    for steps, word in ((np.s_[:], 0), (firing, -1)):
        beats[steps][..., word] = np.maximum(beats[steps][..., word], 1)
    held = len(counts) * (op.steps - 1) if entry else 0
    return op.passes * (word_cycles(beats) + held)


def streamed_passes(
    weights: WeightTiming, op: LayerOp, cycle: int, sending: int, mapped: int, fetched: list[LayerFetch]
) -> tuple[int, int]:
    """Cycles of the first and the last spike of a layer whose passes wait for their weights.

    Args:
        cycle: in which what came before ended.
        sending: cycles in which a pass sends its words.
        mapped: of the stages that look up rows.
        fetched: where what the layer took is added.
    """
    first, wanted = 0, cycle + FETCHED
    for number in range(op.passes):
        begun = weights.ready(wanted) + TAKEN + mapped
        first = begun if number == 0 else first
        last = begun + sending - 1
        weights.freed(last + DRAINED)
        weights.note(op.kind.name, first, last, sending, number == 0, fetched)
        wanted = last + DRAINED + 1
    return first, last


def attention_cycles(op: HeadsOp, config: StochasticNetworkConfig) -> int:
    """Cycles from the end of a layer to that of the attention behind it: its last word is in memory."""
    slot = 3 * config.tokens + READ + config.head_dim
    engine = SCORE_LATENCY + config.head_dim - 1 + output_latency(config.engine)
    return op.heads * op.steps * slot + engine + config.tokens


def predict(
    layers: Sequence[LayerOp],
    heads: HeadsOp,
    config: StochasticNetworkConfig,
    counts: Sequence[Sequence[NDArray[np.integer]]],
    loads: int,
    words: list[int],
    memory: ReaderTiming | None = None,
) -> ImageTimes:
    """Times of images that follow each other without a pause.

    Args:
        counts: of each image, by layer: spikes of the words that it reads, [rows, steps or planes, words].
        loads: beats of the load stream that come first.
        words: of streamed weights, by pass of an image; none where all of them are in the core.
        memory: that brings those; None where they come at full rate.
    """
    times = ImageTimes()
    cycle = loads + LOADED if loads else 0
    weights = WeightTiming(reader_from(memory, cycle), words, cycle) if words else None
    for image in counts:
        times.begun.append(cycle)
        cycle += image[0].size - 1
        times.timeline.append(Segment("image", "bits in", times.begun[-1], cycle))
        for op, read in zip(layers, image, strict=True):
            mapped = MAPPED if config.maps else 0
            first = cycle + FETCH + mapped
            outputs = (op.passes - 1) * config.lanes + op.outputs
            sending = layer_cycles(op, read, outputs, config.weight_ports, times)
            last = first + sending - 1
            if weights is not None:
                first, last = streamed_passes(weights, op, cycle, sending // op.passes, mapped, times.fetched)
            cycle = last + SETTLE + (DRAINED if weights else 0)
            times.timeline.append(Segment("linear", op.kind.name, first, last))
            if op.attend:
                first, cycle = cycle + 1, cycle + attention_cycles(heads, config)
                times.timeline.append(Segment("attention", "heads of a block", first, cycle))
            if op.kind is Kind.scores:
                cycle += FIRST_SCORE + SCORE * (op.outputs - 1)
        times.finished.append(cycle)
        cycle += 1
    return times
