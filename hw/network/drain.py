"""Linear unit, second half: accumulators become potentials, and potentials what their target says."""

from itertools import pairwise

from amaranth.hdl import Cat, Module, Mux, Signal, Value, signed
from amaranth.lib import data, stream, wiring
from amaranth.lib.fifo import SyncFIFO
from amaranth.lib.memory import Memory
from amaranth.lib.wiring import In, Out
from amaranth.utils import bits_for

from golden.network.config import NetworkConfig
from golden.network.descriptors import Neuron, Target
from golden.network.limits import MAX_SHIFT
from golden.widths import index_width
from hw.network import payloads
from hw.network.falling_threshold import FallingThreshold
from hw.network.linear_issue import ISSUE_LATENCY, STREAM_READ
from hw.network.load_bus import pick
from hw.network.neuron_cluster import NeuronCluster
from hw.network.octave_encoder import OctaveEncoder
from hw.parts.delay import registered
from hw.parts.memory import NO_COLLISION
from hw.parts.payloads import struct
from hw.parts.shift_add import times

# Cycles from a value leaving the clusters to its potential
POTENTIAL = 4
SHIFT_BITS = bits_for(MAX_SHIFT)


class Drain(wiring.Component):
    """One neuron per cycle: combination, bias, then code, residual stream or class score. With two drains two
    neurons of the stream per cycle, one of each half of the lanes.

    Members:
        i_load, i_write: words of the neuron table.
        i_pass: what the next `lanes` values are.
        i_sums: accumulators; with two drains of the lower half of the lanes, i_sums_1 of the upper one.
        levels_address, levels: threshold list, one cycle later.
        o_hidden, o_qkv: spikes; cannot be held up.
        stream_row, stream_channel, stream_old: residual stream, two cycles later.
        stream_adds: the stream is read for a sum (only if memories are shared).
        stream_write, write_row, write_channel, stream_new: its update; with two drains stream_old_1,
            stream_write_1 and stream_new_1 for the channel half of the lanes further on.
        o_score: class scores; scores_taken: the last one of a pass leaves (only where they leave in parts).
        row_done, finished: a row, the last row of the network, is complete; short: see
            `hw.network.token_counts`.
        o_potential: every potential, for verification; cannot be held up. o_potential_1: of the second drain.

    Timing: from a value at `i_sums` `POTENTIAL` cycles to its potential; 8 more to its spike.
    """

    def __init__(self, config: NetworkConfig) -> None:
        self._config = config
        self._encoder = OctaveEncoder(config, config.potential_bits)
        # cycles to its potential, its spike, its row counting as done, and what is added to the stream
        self._spike_at = POTENTIAL + self._encoder.latency + FallingThreshold.latency
        self._done_at = self._spike_at + 1
        self._term_at = POTENTIAL + 2
        row = payloads.row_width(config)
        parts = {"scores_taken": Out(1)} if config.score_parts else {}
        parts |= {"stream_adds": Out(1)} if config.shared else {}
        parts |= {"short": Out(1)} if config.token_counts else {}
        hidden = payloads.list_write(config, config.hidden_lists)
        potential = stream.Signature(signed(config.potential_bits), always_ready=True)
        if config.drains > 1:
            parts |= {
                "i_sums_1": In(payloads.sums(config)),
                "stream_old_1": In(signed(config.stream_bits)),
                "stream_write_1": Out(1),
                "stream_new_1": Out(signed(config.stream_bits)),
                "o_potential_1": Out(potential),
            }
        super().__init__(
            {
                "i_load": In(payloads.table_load(config)),
                "i_write": In(1),
                "i_pass": In(stream.Signature(payloads.hand_over(config), always_ready=True)),
                "i_sums": In(payloads.sums(config)),
                "levels_address": Out(index_width(config.lists)),
                "levels": In(payloads.levels(config)),
                "o_hidden": Out(stream.Signature(hidden, always_ready=True)),
                "o_qkv": Out(stream.Signature(payloads.qkv_write(config), always_ready=True)),
                "stream_row": Out(row),
                "stream_channel": Out(config.feature_bits),
                "stream_old": In(signed(config.stream_bits)),
                "stream_write": Out(1),
                "write_row": Out(row),
                "write_channel": Out(config.feature_bits),
                "stream_new": Out(signed(config.stream_bits)),
                "o_score": Out(stream.Signature(payloads.score_beat(config))),
                "row_done": Out(1),
                "finished": Out(1),
                "o_potential": Out(potential),
            }
            | parts
        )

    def elaborate(self, platform: object) -> Module:
        m = Module()
        config = self._config
        m.submodules.table = table = Memory(
            shape=struct(Neuron, config), depth=payloads.table_depth(config), init=[], attrs=NO_COLLISION
        )
        read, write = table.read_port(), table.write_port()
        hand_over = payloads.hand_over(config)
        # as many passes as can be between the broadcast and here
        way = ISSUE_LATENCY + NeuronCluster.latency + config.clusters
        depth = 2 + way // (config.lanes // config.drains)
        m.submodules.passes = passes = SyncFIFO(width=hand_over.size, depth=depth)
        now = Signal(hand_over)
        m.d.comb += [
            passes.w_data.eq(self.i_pass.payload),
            passes.w_en.eq(self.i_pass.valid),
            now.eq(passes.r_data),
        ]
        pick(m, write, self.i_load, self.i_write)

        # stage 0: which neuron
        lane = Signal(range(config.lanes))
        valid, arrived, last_lane = self.i_sums.valid, self.i_sums.sum, lane == config.lanes - 1
        row_end = lane + 1 == now.outputs
        if config.drains > 1:
            # one after the other, or of both halves at once
            half, paired = config.lanes // 2, now.target == Target.stream
            valid = self.i_sums.valid | self.i_sums_1.valid
            arrived = Mux(self.i_sums.valid, self.i_sums.sum.as_value(), self.i_sums_1.sum.as_value())
            last_lane = Mux(paired, lane == half - 1, last_lane)
            row_end = Mux(paired & (now.outputs > half), lane == half - 1, row_end)
        m.d.comb += [
            read.addr.eq(now.table + lane),
            passes.r_en.eq(valid & last_lane),
        ]
        with m.If(valid):
            m.d.sync += lane.eq(Mux(last_lane, 0, lane + 1))
        passed = ["final", "target", "signed", "fresh", "levels", "row"]
        more = ["list"] if config.hidden_lists > 1 else []
        more += ["short"] if config.token_counts else []
        part = {"part": 1} if config.score_parts else {}
        tag_layout = data.StructLayout(
            {"valid": 1, "end": 1, "final": 1, "first": 1, "target": 2, "signed": 1, "fresh": 1,
             "levels": now.levels.shape(), "row": now.row.shape()} | dict.fromkeys(more, 1) | part
        )  # fmt: skip
        tags = [Signal(tag_layout, name=f"tag_{n}") for n in range(self._done_at + 1)]
        m.d.comb += [
            tags[0].valid.eq(valid & (lane < now.outputs)),
            tags[0].end.eq(now.last & row_end),
            tags[0].first.eq(now.first & (lane == 0)),
            *[tags[0][name].eq(now[name]) for name in [*passed, *more]],
            *[tags[0][name].eq(lane + 1 == now.outputs) for name in part],
        ]
        for before, after in pairwise(tags):
            m.d.sync += after.eq(before)
        neurons = [
            Signal(struct(Neuron, config), name=f"neuron_{n}", reset_less=True)
            for n in range(self._spike_at + 1)
        ]
        m.d.comb += neurons[1].eq(read.data)
        for before, after in pairwise(neurons[1:]):
            m.d.sync += after.eq(before)

        # stages 1 to 3: products with the constants, their sum, bias
        potential = self._potential(m, arrived, neurons[POTENTIAL - 1].bias)
        m.d.comb += [
            self.o_potential.payload.eq(potential),
            self.o_potential.valid.eq(tags[POTENTIAL].valid),
        ]
        self._spikes(m, tags, neurons, potential)
        self._stream(m, tags, neurons, potential)
        if config.drains > 1:
            self._second(m, tags, now.table + half + lane, valid & paired & (half + lane < now.outputs))
        self._scores(m, tags, potential)
        done = tags[self._done_at]
        m.d.comb += [
            self.row_done.eq(done.valid & done.end),
            self.finished.eq(done.valid & done.end & done.final),
        ]
        if config.token_counts:
            m.d.comb += self.short.eq(self.row_done & done.short)
        return m

    def _potential(self, m: Module, arrived: Value, bias: Value, suffix: str = "") -> Signal:
        """Of accumulators, `_potential_at` cycles later; the bias is there one before."""
        config = self._config
        b, bits = config.code.log2_base.denominator, config.potential_bits
        sums = Signal(
            data.ArrayLayout(signed(config.accumulator_bits), b), name=f"sums{suffix}", reset_less=True
        )
        parts = [Signal(signed(bits), name=f"part_{r}{suffix}", reset_less=True) for r in range(b)]
        potential = Signal(signed(bits), name=f"potential{suffix}", reset_less=True)
        m.d.sync += sums.eq(arrived)
        for r, constant in enumerate(config.constants):
            m.d.sync += parts[r].eq(times(sums[r], constant))
        # a long sum is cut in two
        pairs = [parts[n : n + 2] for n in range(0, b, 2)]
        names = (f"pair_{n}{suffix}" for n in range(len(pairs)))
        added = [Signal(signed(bits), name=name, reset_less=True) for name in names]
        m.d.sync += [of.eq(sum(pair[1:], pair[0])) for of, pair in zip(added, pairs, strict=True)]
        m.d.sync += potential.eq(sum(added[1:], added[0]) + bias)
        return potential

    def _spikes(self, m: Module, tags: list, neurons: list, potential: Signal) -> None:
        config = self._config
        m.submodules.encoder = encoder = self._encoder
        m.submodules.threshold = threshold = FallingThreshold(config)
        placed = POTENTIAL + encoder.latency
        tag, slot = tags[self._spike_at], neurons[self._spike_at].slot
        m.d.comb += [
            encoder.value.eq(potential),
            threshold.place.eq(encoder.place),
            threshold.negative.eq(encoder.negative),
            threshold.offset.eq(neurons[placed].offset),
            threshold.both.eq(tags[placed].signed),
            self.levels_address.eq(tags[placed].levels),
            threshold.levels.eq(self.levels),
            self.o_hidden.valid.eq(tag.valid & (tag.target == Target.hidden)),
            self.o_hidden.payload.row.eq(Cat(tag.row, tag.list) if config.hidden_lists > 1 else tag.row),
            self.o_hidden.payload.first.eq(tag.first),
            self.o_hidden.payload.entry.feature.eq(slot),
            self.o_hidden.payload.entry.spike.eq(threshold.spike),
            self.o_qkv.valid.eq(tag.valid & (tag.target == Target.qkv)),
            self.o_qkv.payload.part.eq(slot[config.feature_bits :]),
            self.o_qkv.payload.feature.eq(slot),
            self.o_qkv.payload.row.eq(tag.row),
            self.o_qkv.payload.spike.eq(threshold.spike),
        ]

    def _stream(self, m: Module, tags: list, neurons: list, potential: Signal) -> None:
        """x += floor((V + 2**(s-1)) / 2**s): round, shift, add, one stage each."""
        at = POTENTIAL
        term = self._term(m, potential, [neurons[at + n].offset[:SHIFT_BITS] for n in range(2)])
        tag, read = tags[self._term_at], self._term_at - STREAM_READ
        m.d.sync += [
            self.stream_new.eq(self._old(m, tags, self.stream_old) + term),
            self.stream_write.eq(tag.valid & (tag.target == Target.stream)),
            self.write_row.eq(tag.row),
            self.write_channel.eq(neurons[self._term_at].slot),
        ]
        m.d.comb += [
            self.stream_row.eq(tags[read].row),
            self.stream_channel.eq(neurons[read].slot),
        ]
        if self._config.shared:
            now = tags[read]
            m.d.comb += self.stream_adds.eq(now.valid & (now.target == Target.stream) & ~now.fresh)

    def _old(self, m: Module, tags: list, shown: Value, suffix: str = "") -> Signal:
        """What is added to, with the term: block RAMs of a large stream lie far from here."""
        return registered(m, Mux(tags[self._term_at - 1].fresh, 0, shown), f"old{suffix}")

    def _term(self, m: Module, potential: Signal, shift: list, suffix: str = "") -> Signal:
        """What is added to the stream, two cycles after the potential; the shift at these."""
        config = self._config
        # half of the largest shift may be more than a potential can be
        bits = max(config.potential_bits, MAX_SHIFT) + 1
        rounded = Signal(signed(bits), name=f"rounded{suffix}", reset_less=True)
        term = Signal(signed(config.stream_bits + 1), name=f"term{suffix}", reset_less=True)
        m.d.sync += [
            rounded.eq(potential + ((1 << shift[0]) >> 1)),
            term.eq(rounded >> shift[1]),
        ]
        return term

    def _second(self, m: Module, tags: list, entry: Value, valid: Value) -> None:
        """The neuron of the upper half, in step with the lower one: `entry` of the table, and the stream."""
        config = self._config
        layout = data.StructLayout({"bias": signed(config.potential_bits), "shift": SHIFT_BITS})
        size = {"shape": layout, "depth": payloads.table_depth(config)}
        m.submodules.table_1 = table = Memory(**size, init=[], attrs=NO_COLLISION)
        read, write = table.read_port(), table.write_port()
        pick(m, write, self.i_load, self.i_write)
        neurons = [Signal(layout, name=f"neuron_1_{n}", reset_less=True) for n in range(self._term_at)]
        there = Signal(self._term_at)
        m.d.comb += [read.addr.eq(entry), neurons[1].eq(read.data)]
        m.d.sync += there.eq(Cat(valid, there))
        for before, after in pairwise(neurons[1:]):
            m.d.sync += after.eq(before)
        at = POTENTIAL
        potential = self._potential(m, self.i_sums_1.sum, neurons[at - 1].bias, "_1")
        term = self._term(m, potential, [neurons[at + n].shift for n in range(2)], "_1")
        m.d.comb += [
            self.o_potential_1.payload.eq(potential),
            self.o_potential_1.valid.eq(there[at - 1]),
        ]
        m.d.sync += [
            self.stream_new_1.eq(self._old(m, tags, self.stream_old_1, "_1") + term),
            self.stream_write_1.eq(there[self._term_at - 1]),
        ]

    def _scores(self, m: Module, tags: list, potential: Signal) -> None:
        config = self._config
        layout, parts = payloads.score_beat(config), config.score_parts
        m.submodules.scores = queue = SyncFIFO(width=layout.size + parts, depth=config.lanes)
        beat = Signal(layout)
        tag = tags[POTENTIAL]
        if parts:
            taken = self.o_score.valid & self.o_score.ready
            m.d.comb += self.scores_taken.eq(taken & queue.r_data[-1])
        m.d.comb += [
            beat.value.eq(potential),
            beat.last.eq(tag.end & tag.final if parts else tag.end),
            queue.w_data.eq(Cat(beat, tag.part) if parts else beat),
            queue.w_en.eq(tag.valid & (tag.target == Target.scores)),
            self.o_score.payload.eq(queue.r_data),
            self.o_score.valid.eq(queue.r_rdy),
            queue.r_en.eq(self.o_score.ready),
        ]
