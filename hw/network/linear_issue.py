"""Linear unit, first half: runs the list of linear descriptors and broadcasts spikes without gaps."""

from amaranth.hdl import Array, Module, Mux, Signal, Value
from amaranth.lib import data, stream, wiring
from amaranth.lib.memory import Memory
from amaranth.lib.wiring import In, Out

from golden.network.config import NetworkConfig
from golden.network.descriptors import LinearOp, Source, Target
from golden.network.neuron import most_octaves
from golden.widths import bits_for, index_width
from hw.network import payloads
from hw.network.load_bus import pick
from hw.network.taps import RowIndex, Taps
from hw.network.token_counts import there
from hw.network.weight_loader import WeightHalves
from hw.parts.delay import registered
from hw.parts.descriptors import DescriptorFetch
from hw.parts.memory import NO_COLLISION
from hw.parts.payloads import struct

# Cycles from reading a spike to its broadcast
ISSUE_LATENCY = 3
# From reading the stream to adding to it (`hw.network.drain`), and the least cycles from a sum to one that
# reads what it wrote: it is written a cycle after that, and read in the next
STREAM_READ = 3
STREAM_APART = STREAM_READ + 2


class LinearIssue(wiring.Component):
    """Broadcasts the spikes of each row once per pass of `lanes` outputs; where weights are streamed a
    descriptor is one pass, which waits for its weights.

    Two state machines: one fetches descriptors and waits until the source has completed the row,
    the other broadcasts; so the next row is ready when the last one ends. Rows of the source by index
    enter a row one after the other (`hw.network.taps`).

    Members:
        i_load, i_write: words of the descriptor memory.
        rows_N: rows that source N has completed.
        row: row whose count is looked up; count_N: its spikes in source N.
        read_row, position: spike to read; entry_N: from source N, two cycles later.
        o: broadcast, `ISSUE_LATENCY` cycles behind the read.
        o_pass: one beat per pass that hands over; there is always room.
        map_address, map_word: rows by index, one cycle later (only with maps).
        tap, span: the tap that is looked up, and where the spikes of its block are, one cycle later (only
            with blocks).
        count_list, read_list: of two lists of hidden neurons, that of the counts and that which is read
            (only with two).
        scores_taken: the last score of a part leaves (only where they leave in parts).
        missing: see `hw.network.token_counts`; weights_N: `hw.network.weight_loader`.
        release_image: the last row of the image has been broadcast.
        begin: an image is there; start with the first descriptor.
        busy: a row is being broadcast; accepted: a spike is read in this cycle.

    Timing: one spike per cycle; a row without spikes takes one cycle per pass. Hand-overs are at least
    `lanes` cycles apart, after one to the stream half of that with two drains, but `STREAM_APART`; those of
    parts of the scores after the part before has left. A row needs two cycles of fetching, one by index eight
    and one per tap, a descriptor two more, all hidden behind the row before.
    """

    def __init__(self, config: NetworkConfig) -> None:
        self._config = config
        rows = payloads.row_width(config)
        members = {
            "i_load": In(payloads.load(config)),
            "i_write": In(1),
            "row": Out(rows),
            "read_row": Out(rows),
            "position": Out(index_width(config.features)),
            "o": Out(payloads.broadcast(config)),
            "o_pass": Out(stream.Signature(payloads.hand_over(config), always_ready=True)),
            "release_image": Out(1),
            "begin": In(1),
            "busy": Out(1),
            "accepted": Out(1),
        }
        for name in Source.__members__:
            members[f"rows_{name}"] = In(config.row_count_width)
            members[f"count_{name}"] = In(bits_for(config.features))
            members[f"entry_{name}"] = In(payloads.list_entry(config))
        if config.maps:
            members["map_address"] = Out(index_width(config.maps))
            members["map_word"] = In(payloads.map_word(config))
        if config.block:
            members["tap"] = Out(payloads.map_word(config))
            members["span"] = In(payloads.block_span(config))
        if config.hidden_lists > 1:
            members |= {"count_list": Out(1), "read_list": Out(1)}
        if config.score_parts:
            members["scores_taken"] = In(1)
        if config.token_counts:
            members["missing"] = In(rows)
        super().__init__(members | WeightHalves.members(config))

    def elaborate(self, platform: object) -> Module:
        m = Module()
        config = self._config
        op_layout = struct(LinearOp, config)
        size = {"shape": op_layout, "depth": config.linear_ops}
        m.submodules.ops = ops = Memory(**size, init=[], attrs=NO_COLLISION)
        read, write = ops.read_port(), ops.write_port()
        pick(m, write, self.i_load, self.i_write)

        # fetch: descriptor, then row by row as the source completes them
        op = Signal(op_layout)
        fetch = DescriptorFetch(m, read, op)
        row = Signal(payloads.row_width(config))
        needed = Signal(config.row_count_width)
        table = Signal(index_width(config.table))
        count = Signal(bits_for(config.features))
        offered, taken = Signal(), Signal()
        row_last = Signal()  # of the row that is offered: known a cycle before
        # compared before the source is chosen: a shorter path
        complete = Array(getattr(self, f"rows_{name}") > needed for name in Source.__members__)[op.source]
        counts = Array(getattr(self, f"count_{name}") for name in Source.__members__)
        index = RowIndex(config, self, op, needed)
        taps = Taps(m, config, op, index, row, count)
        halves = WeightHalves(config, self)
        m.d.comb += self.row.eq(taps.row())
        m.d.sync += row_last.eq(row + 1 == there(self, op, op.rows, config))
        with m.FSM(name="fetch"):
            with fetch.states(m, self.begin) as fetched:
                m.d.sync += [row.eq(0), needed.eq(fetched.wait)]
                m.d.sync += table.eq(0 if halves.present else fetched.table)
                index.first_row(m, fetched)
            index.states(m)
            with m.State("ROW"):
                m.d.sync += count.eq(counts[op.source])
                with m.If(complete):
                    m.next = "OFFER"
                taps.begin(m, complete)
            taps.states(m)
            with m.State("OFFER"):
                m.d.comb += offered.eq(1)
                with m.If(taken):
                    m.d.sync += [row.eq(row + 1), needed.eq(needed + 1), table.eq(table + op.stride)]
                    index.next_row(m, behind=True)
                    with m.If(row_last):
                        fetch.step(m)
                        fetch.following(m)
        if config.block:
            m.d.comb += self.tap.eq(taps.tap)
        taps.note(m, counts[op.source], self.span if config.block else None)

        # broadcast
        work = Signal(op_layout)
        work_row, work_count = Signal.like(row), Signal.like(count)
        first_row, last_row = Signal(), Signal()
        hands, releases = Signal(), Signal()  # passes of the row hand over; the image is used behind it
        position = Signal(bits_for(config.features))
        last_entry = Signal()  # what is read now is the last spike of its row, or it has none; known early

        def anew(spikes: Value) -> None:
            """From the first of so many spikes."""
            m.d.sync += [position.eq(0), last_entry.eq(spikes <= 1)]

        passes = None if halves.present else work.passes  # still to come, with this one
        first_pass, last_pass = Signal(), Signal(init=int(halves.present))
        alone, sums = config.lanes, max(config.lanes // config.drains, STREAM_APART)
        gap = Signal(range(1 - max(alone, sums), 1))  # to the next hand-over, upwards: its sign says whether
        hand, go, row_done = Signal(), Signal(), Signal()
        paired = work.target == Target.stream
        pass_end = last_entry & ~taps.more if taps.present else last_entry
        m.d.comb += [
            hand.eq(pass_end & hands),
            go.eq(self.busy & (~hand | self._room(m, go & hand, work.target, gap >= 0))),
            row_done.eq(go & pass_end & last_pass),
            taken.eq(halves.ready(offered & (~self.busy | row_done), row)),
            self.read_row.eq(taps.origin if taps.present else work_row),
            self.position.eq(position + taps.start if config.block else position),
            self.accepted.eq(go),
            self.release_image.eq(row_done & releases),
        ]
        with m.If(gap < 0):
            m.d.sync += gap.eq(gap + 1)
        with m.If(go):
            m.d.sync += [position.eq(position + 1), last_entry.eq(position + 2 == work_count)]
            with m.If(hand):
                m.d.sync += gap.eq(Mux(paired, 1 - sums, 1 - alone) if sums != alone else 1 - alone)
            if taps.present:
                with m.If(last_entry):
                    anew(work_count)
            with m.If(pass_end):
                anew(work_count)
                if passes is not None:
                    m.d.sync += [
                        passes.eq(passes - 1),
                        first_pass.eq(0),
                        last_pass.eq(passes == 2),
                        work.weight.eq(work.weight + work.inputs),
                        work.table.eq(work.table + config.lanes),
                        work.outputs.eq(work.outputs - config.lanes),
                    ]
        taps.step(m, go & last_entry, work_count, last_entry)
        with m.If(row_done):
            m.d.sync += self.busy.eq(0)
        with m.If(taken):
            m.d.sync += [
                self.busy.eq(1),
                work.eq(op),
                *([] if halves.present else [work.table.eq(table)]),
                work_row.eq(row),
                work_count.eq(count),
                first_row.eq(row == 0),
                last_row.eq(row_last),
                hands.eq(~op.pooled | row_last),
                releases.eq(row_last & op.release),
            ]
            if passes is not None:
                m.d.sync += [first_pass.eq(1), last_pass.eq(op.passes == 1)]
            anew(count)
            taps.take(m)
            halves.take(m, row, table)
        halves.free(m, row_done & last_row)
        if config.hidden_lists > 1:
            m.d.comb += [self.count_list.eq(op.read_list), self.read_list.eq(work.read_list)]
        beat = self.o_pass.payload
        m.d.comb += [
            self.o_pass.valid.eq(go & hand),
            *[
                getattr(beat, name).eq(getattr(work, name))
                for name in ("target", "signed", "fresh", "levels")
            ],
            beat.row.eq(work_row),
            beat.table.eq(halves.neurons if halves.present else work.table),
            beat.outputs.eq(
                work.outputs
                if passes is None
                else Mux(work.outputs > config.lanes, config.lanes, work.outputs)
            ),
            beat.first.eq(work.opens if passes is None else first_pass),
            beat.last.eq(work.closes if passes is None else last_pass),
            # of scores of rows, the last row's
            beat.final.eq(work.final & last_row if config.score_parts else work.final),
        ]
        if config.hidden_lists > 1:
            m.d.comb += beat.list.eq(work.write_list)
        if config.token_counts:
            m.d.comb += beat.short.eq(work.counted & last_row & ~work.pooled)

        first = (position == 0) & (~work.pooled | first_row)
        if taps.present:
            first &= taps.starts
        weight = halves.base if halves.present else work.weight
        weight = weight + taps.offset if taps.present else weight
        self._send(m, work.source, weight, go, first, hand, work_count != 0, paired)
        return m

    def _room(self, m: Module, hand_over: Value, target: Value, drained: Value) -> Value:
        """Whether accumulators may be handed over: the last are `drained`, and so is a part of scores."""
        if not self._config.score_parts:
            return drained
        scores, under_way = target == Target.scores, Signal()
        m.d.sync += under_way.eq((hand_over & scores) | (under_way & ~self.scores_taken))
        return drained & ~(scores & under_way)

    def _send(
        self,
        m: Module,
        from_: Value,
        weight: Value,
        go: Value,
        first: Value,
        last: Value,
        some: Value,
        paired: Value,
    ) -> None:
        """Broadcast the spike that is read in this cycle; it is there two cycles later."""
        config = self._config
        tags = Signal(data.StructLayout({"valid": 1, "first": 1, "last": 1, "some": 1}))
        later = Signal.like(tags, name="tags_later")
        m.d.sync += [tags.valid.eq(go), tags.first.eq(first), tags.last.eq(last), tags.some.eq(some)]
        m.d.sync += later.eq(tags)
        source = registered(m, registered(m, from_, "source"), "source_later")
        address = weight[: index_width(payloads.weight_depth(config))]
        base = registered(m, registered(m, address, "base"), "base_later")
        shown = [getattr(self, f"entry_{name}").as_value() for name in Source.__members__]
        if config.drains > 1:
            m.d.sync += self.o.paired.eq(registered(m, registered(m, paired, "paired"), "paired_later"))
        entry = Signal(payloads.list_entry(config))
        entries = Array(shown)
        m.d.comb += entry.eq(entries[source])
        m.d.sync += [
            self.o.valid.eq(later.valid),
            self.o.first.eq(later.first),
            self.o.last.eq(later.last),
            self.o.active.eq(later.some & entry.spike.active),
            self.o.negative.eq(entry.spike.negative),
            self.o.address.eq(base + entry.feature),
        ]
        with m.Switch(entry.spike.phase):
            for phase in range(config.code.steps):
                octaves, residue = config.code.octave(phase)
                with m.Case(phase):
                    m.d.sync += [
                        self.o.shift.eq(most_octaves(config.code) - octaves),
                        self.o.residue.eq(1 << residue),
                    ]
