"""Cycle model of a network core: when every row of every layer is complete, without simulating logic.

Cycle n is what is sampled at clock edge n. Three units run side by side and wait for each other's
rows; the attention core inside is that of `sim.timing.attention`. Inputs are offered without a pause,
scores are taken at once.

Order within a row, in the words of the hardware:
    linear     fetch (wait for the row), broadcast once per pass, hand over, drain one neuron per cycle,
               of the stream two with two drains
    norm       sum, mean (a cycle per bit of the reciprocal, or for a bit and a zero behind it), sum of
               squares, place of the sum, thresholds
    attention  keys, values and query rows are fed; rows come back as the core completes them
"""

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from golden.attention.job import AttentionJob
from golden.code import Spikes
from golden.network.attention import Attention
from golden.network.blocks import spikes_read
from golden.network.compiler import Program
from golden.network.config import NetworkConfig
from golden.network.descriptors import KINDS, AttentionOp, LinearOp, NormOp, Source, Target
from golden.network.layers import Linear, Norm
from golden.network.network import Network, run_network
from golden.network.program import check_fit
from golden.network.reader import ReaderTiming
from golden.network.rows import gathered
from golden.network.tensors import IMAGE, STREAM
from golden.network.weights import pass_words
from sim.timing.attention import CoreTiming
from sim.timing.image_times import ImageTimes, Segment
from sim.timing.query_scan import QueryScan
from sim.timing.weights import WeightTiming, reader_from

# Descriptor fetch: from begin, or from the last row taken, to waiting for the first row
FETCH = 3
# By index: to knowing what a row waits for; from there on to its last tap, beside a cycle per tap; in a norm,
# to the row of a channel
INDEX, LAST_TAP, LOOKED_UP = 3, 3, 2
# From the descriptor of heads that lead to their start
LEAD = 1
# From a hand-over to its first value at the drain, beside the way through the clusters
HAND_OVER = 8
# In the drain: from a value to its potential, to its score leaving, to its row counting
POTENTIAL, SCORE, COUNTED = 4, 5, 14
# From a hand-over to the stream to one whose sums may read what it wrote
SUM = 5
# Norm: flush of the squares with the place of the sum, flush of the spikes
SUM_FLUSH, SQUARE_FLUSH, FIRE_FLUSH = 3, 16, 11
# In a norm, to what two banks of the stream show
BANKS = 1
# From the place of a last channel, which was kept, to its spike
KEPT_FLUSH = 4
# From the last place that was kept to the first of the next row
PLACE = 6
# Sums of squares of more bits are placed a cycle later
WIDE = 40
# What is said of the stretch in which an image, or a stream of embedded tokens, enters
PIXELS_IN, TOKENS_IN = "pixels in", "tokens in"


@dataclass(eq=False)
class NetworkTimes(ImageTimes):
    """Predicted times of a run of images.

    Attributes:
        potential, norm, mixed: cycle of the last neuron of each row, in order of execution.
        linear: cycles from the first to the last broadcast of each linear descriptor, summed.
    """

    potential: list[int] = field(default_factory=list)
    norm: list[int] = field(default_factory=list)
    mixed: list[int] = field(default_factory=list)
    linear: int = 0


def mean_cycles(op: NormOp) -> int:
    """Cycles of a mean: a bit of its constant each, the lowest first, and with it a zero behind it."""
    cycles, left, fraction = 0, op.mean_bits, op.mean_fraction
    while left:
        taken = 2 if left > 1 and not fraction & 2 else 1
        cycles, left, fraction = cycles + 1, left - taken, fraction >> taken
    return cycles


class LinearTiming:
    """State of the neuron core alone.

    Attributes:
        rows: by source, cycles in which its rows are complete; those that are missing are with the last.
        missing: rows that are not there of layers that follow the number of tokens.
        weights: of a core whose weights are streamed.
    """

    def __init__(
        self, lanes: int, clusters: int, drains: int = 1, weights: WeightTiming | None = None
    ) -> None:
        self.missing = 0
        self.weights = weights
        self.lanes, self.clusters, self.drains = lanes, clusters, drains
        self.times = NetworkTimes()
        self.drained = self.scores_taken = -(1 << 40)
        self.idle = -1  # cycle in which the last image finished
        self.rows: dict[Source, list[int]] = {n: [] for n in Source}
        self.begin(0)

    def begin(self, cycle: int) -> None:
        """The first row can be fetched from this cycle on."""
        self.linear_entry = cycle + FETCH
        self.broadcast_end = cycle
        self.release = cycle

    def run_linear(self, op: LinearOp, what: str, counts: NDArray[np.int64], maps: NDArray[np.int64]) -> None:
        """Rows of a descriptor, `counts` spikes in each; `maps` of the program."""
        lanes = self.lanes
        arrives = HAND_OVER + self.clusters
        # neurons of a pass that leave one by one
        drained = lanes // self.drains if op.target is Target.stream else lanes
        # a sum reads the stream when the one before has written it
        apart = max(drained, SUM) if op.target is Target.stream else drained
        entry, first, hand, least = self.linear_entry, None, 0, 0
        missing = self.missing * op.counted
        rows = op.rows - missing
        for row in range(rows):
            needed = maps[op.map + row * (op.taps + 1)] if op.taps else row
            ready = self.rows[op.source][op.wait + needed]
            look_up = op.taps + LAST_TAP if op.taps else 0
            entry += INDEX if op.taps else 0
            taken = max(max(entry, ready) + look_up + 1, self.broadcast_end)
            if self.weights and row == 0:
                taken = self.weights.ready(taken)
            entry = taken + 1
            cycle = taken + 1
            first = cycle if first is None else first
            spikes = max(int(counts[row]), 1)
            self.times.additions += int(counts[row]) * op.outputs
            least += op.passes * max(spikes, apart)
            for number in range(op.passes):
                hand = cycle + spikes - 1
                if not op.pooled or row == rows - 1:
                    hand = max(hand, self.drained)
                    if op.target is Target.scores:  # after the part before has left
                        hand = max(hand, self.scores_taken + 1)
                        outputs = min(lanes, op.outputs - number * lanes)
                        self.scores_taken = hand + arrives + outputs - 1 + SCORE
                    self.drained = hand + apart
                cycle = hand + 1
                self.times.broadcasts += spikes
                if number == op.passes - 1 and (not op.pooled or row == rows - 1):
                    last = hand + arrives + min(drained, op.outputs - number * lanes) - 1
                    self.times.potential.append(last + POTENTIAL)
                    if op.closes:
                        self.rows[Source.hidden].append(last + COUNTED)
            self.broadcast_end = hand
        if op.closes and not op.pooled:
            self.rows[Source.hidden] += missing * self.rows[Source.hidden][-1:]
        assert first is not None
        self.linear_entry = entry + FETCH - 1
        if op.opens:
            self.layer_first = first
        if self.weights:
            self.weights.freed(hand)
            self.weights.note(what, self.layer_first, hand, least, op.opens, self.times.fetched)
        if op.closes:
            self.times.linear += hand - self.layer_first + 1
            self.times.timeline.append(Segment("linear", what, self.layer_first, hand))
            if self.weights:
                fetch = self.times.fetched[-1]
                self.times.timeline.append(Segment("memory", what, fetch.begun, fetch.done))
        if op.release:
            self.release = hand
        if op.final:
            end = self.times.potential[-1] - POTENTIAL
            self.times.finished.append(end + SCORE)
            self.idle = end + COUNTED - 1


class NetworkTiming(LinearTiming):
    """State of the units; one call of `image` per image, in order."""

    def __init__(
        self, network: Network, config: NetworkConfig, program: Program, weights: WeightTiming | None
    ) -> None:
        super().__init__(config.lanes, config.clusters, config.drains, weights)
        self.network, self.config, self.program = network, config, program
        self.core = CoreTiming(config.attention)

    def image(self, pixels: int, entry: Spikes | NDArray[np.int64], tokens: int) -> int:
        """One image.

        Args:
            pixels: first cycle in which its pixels can be accepted.
            entry: what enters, [rows, width]; tokens: the first rows that do.

        Returns:
            First cycle in which pixels of the next image can be accepted.
        """
        width = entry.shape[1]
        enters = self.network.entry == STREAM
        whole = enters or self.config.token_counts
        self.missing = self.network.tokens - tokens
        self.times.begun.append(pixels)
        image_rows = [pixels + (t + 1) * width for t in range(tokens)]
        self.times.timeline.append(
            Segment("image", TOKENS_IN if enters else PIXELS_IN, pixels, image_rows[-1] - 1)
        )
        begin = max(image_rows[-1 if whole else 0], self.idle + 1)
        self.rows = {n: [] for n in Source}
        self.rows[Source.image] = image_rows + self.missing * image_rows[-1:]
        self.rows[Source.hidden] = [begin] * self.network.tokens if enters else []
        self.begin(begin)
        self.norm_entry, self.attention_entry = begin + FETCH, begin + FETCH + LEAD
        self.norm_done = begin
        program = self.program
        linear, norm, attention = iter(program.linear), iter(program.norm), iter(program.attention)
        tensors: dict[str, Spikes] = {}
        if isinstance(entry, Spikes):
            tensors[IMAGE] = entry
            batch: Spikes | NDArray[np.int64] = Spikes(entry.sign[None], entry.phase[None])
        else:
            batch = entry[None]
        counts = None if not self.missing else np.array([tokens])
        outputs = run_network(self.network, batch, tokens=counts).outputs
        for layer, output in zip(self.network.layers, outputs, strict=True):
            if isinstance(layer, Linear):
                left = layer.outputs
                while left:
                    op = next(linear)
                    spikes = gathered(tensors[layer.source], layer.gather, self.network.code.steps)
                    fired = spikes_read(op, program.blocks, spikes)
                    self.run_linear(op, f"{layer.source} to {layer.target}", fired, program.maps)
                    left -= op.outputs
            elif isinstance(layer, Attention):
                qkv = tensors[layer.source]
                job = layer.job(Spikes(qkv.sign[None], qkv.phase[None]), self.network.code)
                left = layer.heads * layer.groups
                while left:
                    group = [next(attention)]
                    group += [next(attention) for _ in range(group[0].group - 1)]
                    window, head = group[0].row // group[0].tokens, group[0].base // group[0].features
                    heads = f"heads {head}..{head + len(group) - 1}"
                    where = heads if layer.groups == 1 else f"window {window}, {heads}"
                    self.run_attention(group, job, window * layer.heads + head, where)
                    left -= len(group)
            elif isinstance(layer, Norm):
                self.run_norm(next(norm), layer.kind)
            if isinstance(output, Spikes):
                tensors[layer.target] = output[0]
        return (self.idle if enters else self.release) + 1

    def run_norm(self, op: NormOp, what: str) -> None:
        width, start, fired = op.width, 0, 0
        flush = LOOKED_UP * (self.config.maps > 0) + BANKS * (self.config.drains > 1)
        # from a channel to its place
        deep = int(2 * self.config.stream_bits + self.config.feature_bits + 1 > WIDE)
        missing = self.missing * op.counted
        for row in range(op.rows - missing):
            needed = self.program.maps[op.map + row * (op.taps + 1)] if op.taps else row
            entry = self.norm_entry + (INDEX if op.taps else 0)
            begun = max(entry, self.rows[Source.hidden][op.wait + needed])
            if row == 0:  # of the descriptor before nothing is under way
                begun = start = max(begun, self.norm_done + 1)
            measured, channels = begun + 1, op.channels if op.twice else width
            if op.kind == KINDS["layer"]:
                # of two banks that the channels fill, a channel of each at once
                pairs = self.config.drains > 1 and op.channels % self.config.lanes == 0
                measured += (channels >> pairs) + SUM_FLUSH + mean_cycles(op) + flush
            if op.kind != KINDS["fixed"]:
                measured += channels + SQUARE_FLUSH + flush + 2 * deep
            kept = self.config.norm_rows > 1 and op.kind != KINDS["fixed"]
            if kept and row:  # the row before has fired when this one begins to
                measured = max(measured, fired + PLACE + deep)
            fired = measured + width
            self.norm_done = measured + width + (KEPT_FLUSH if kept else FIRE_FLUSH + flush + deep)
            self.times.norm.append(self.norm_done)
            self.rows[Source.norm].append(self.norm_done + 1)
            self.norm_entry = measured if kept else self.norm_done + 1
        self.rows[Source.norm] += missing * self.rows[Source.norm][-1:]
        self.times.timeline.append(Segment("norm", what, start, self.norm_done))
        self.norm_entry += FETCH - 1

    def run_attention(self, group: list[AttentionOp], job: AttentionJob, first_head: int, where: str) -> None:
        """Heads that run back to back, from `first_head` of the job on."""
        core, missing = self.core, self.missing * group[0].counted
        tokens, features = group[0].tokens - missing, group[0].features
        terms = group[0].biased or group[0].masked
        start = max(self.attention_entry, self.rows[Source.hidden][group[0].wait])
        active = job.q.sign[first_head : first_head + len(group), :tokens] != 0
        beats = np.maximum(np.count_nonzero(active, axis=-1), 1).tolist()
        scan = QueryScan(start, active.reshape(-1, features))
        offered, end = start + 1, start
        for spikes in beats:
            ends = core.run_head(spikes, features, job.window, terms, offered, scan.row)
            offered, end = core.heads.accepted.back(1) + 3, ends[-1]
            self.times.mixed += ends
            self.rows[Source.mixed] += [cycle + 1 for cycle in ends] + missing * [end + 1]
        self.times.timeline.append(Segment("attention", where, start, end))
        self.attention_entry = end + 1 + FETCH + LEAD


def predict(
    network: Network,
    config: NetworkConfig,
    image: Spikes | NDArray[np.int64],
    loads: int,
    tokens: NDArray[np.int64] | None = None,
    memory: ReaderTiming | None = None,
) -> NetworkTimes:
    """Times of images [images, tokens, width] that follow each other without a pause.

    Args:
        loads: words that are loaded first.
        tokens: [images], the first rows of each that enter; None for all.
        memory: of streamed weights; None where they come at full rate.

    Raises:
        InputError: the network does not fit the core.
    """
    program, pixels = check_fit(network, config), loads + 1
    weights = None
    if config.weight_stream:
        words = pass_words(program, config).tolist()
        weights = WeightTiming(reader_from(memory, pixels), words, pixels)
    timing = NetworkTiming(network, config, program, weights)
    for number in range(image.shape[0]):
        count = network.tokens if tokens is None else int(tokens[number])
        pixels = timing.image(pixels, image[number], count)
    return timing.times
