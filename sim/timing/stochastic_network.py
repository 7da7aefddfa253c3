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

from golden.stochastic.descriptors import HeadsOp, Kind, LayerOp
from golden.stochastic.network_config import StochasticNetworkConfig
from sim.timing.image_times import ImageTimes, Segment
from sim.timing.stochastic import SCORE_LATENCY, output_latency

# From the last beat of the load stream to the first bits of an image
LOADED = 1
# From the last bits of an image, or the end of what came before, to the first spike of a layer; from its last
# spike to its end: what it made is in memory
FETCH, SETTLE = 6, 8
# Rows by index are a stage more between the two
MAPPED = 1
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
) -> ImageTimes:
    """Times of images that follow each other without a pause.

    Args:
        counts: of each image, by layer: spikes of the words that it reads, [rows, steps or planes, words].
        loads: beats of the load stream that come first.
    """
    times = ImageTimes()
    cycle = loads + LOADED if loads else 0
    for image in counts:
        times.begun.append(cycle)
        cycle += image[0].size - 1
        times.timeline.append(Segment("image", "bits in", times.begun[-1], cycle))
        for op, read in zip(layers, image, strict=True):
            first = cycle + FETCH + (MAPPED if config.maps else 0)
            outputs = (op.passes - 1) * config.lanes + op.outputs
            last = first + layer_cycles(op, read, outputs, config.weight_ports, times) - 1
            cycle = last + SETTLE
            times.timeline.append(Segment("linear", op.kind.name, first, last))
            if op.attend:
                first, cycle = cycle + 1, cycle + attention_cycles(heads, config)
                times.timeline.append(Segment("attention", "heads of a block", first, cycle))
            if op.kind is Kind.scores:
                cycle += FIRST_SCORE + SCORE * (op.outputs - 1)
        times.finished.append(cycle)
        cycle += 1
    return times
