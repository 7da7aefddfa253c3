"""Stage 4: broadcasts the columns of V to the context lanes."""

from amaranth.hdl import Module, Mux, Signal
from amaranth.lib import stream, wiring
from amaranth.lib.wiring import In, Out
from amaranth.utils import ceil_log2

from golden.attention.config import CoreConfig
from golden.widths import index_width
from hw.attention import payloads
from hw.parts.compare import above


class ContextSequencer(wiring.Component):
    """For each row: a column of ones (the normaliser), then every feature; each over all groups.

    Members:
        i_head: tokens and features of each head.
        phases, release_phases: attention spikes of rows that are complete.
        values_full, release_values: value memory.
        release_row: the oldest row of the context buffer is free again.
        o_command: to the first cluster.

    Timing: (features + 1) * groups cycles per row, rows without a gap, two cycles between heads.
    """

    def __init__(self, config: CoreConfig) -> None:
        self._config = config
        super().__init__(
            {
                "i_head": In(stream.Signature(payloads.head_part(config, "tokens", "features"))),
                "phases": In(range(3)),
                "release_phases": Out(1),
                "values_full": In(1),
                "release_values": Out(1),
                "release_row": In(1),
                "o_command": Out(payloads.context_command(config)),
            }
        )

    def elaborate(self, platform: object) -> Module:
        m = Module()
        config = self._config
        head = self.i_head.payload
        command = self.o_command
        running, ones = Signal(), Signal(init=1)
        row, last_row = Signal(range(config.tokens)), Signal()
        left = Signal.like(head.tokens)  # tokens of this and the later groups
        columns_left = Signal.like(head.features)  # after this column
        feature = Signal(index_width(config.head_dim))
        group = Signal(max(1, ceil_log2(config.groups)))
        value_bank, phase_bank = Signal(), Signal()
        # rows of the context buffer, without the one that began a cycle ago: what starts a row comes late
        used, started = Signal(range(payloads.ROW_BANKS + 1)), Signal()

        # what `left` and `columns_left` say stands in registers beside them: it is needed early in the cycle
        last_group, last_feature = Signal(init=1), Signal(init=1)
        one_group, no_feature = ~above(head.tokens, config.lanes), head.features == 0
        room, start, row_done, head_done = Signal(), Signal(), Signal(), Signal()
        m.d.comb += [
            room.eq(used + started != payloads.ROW_BANKS),
            row_done.eq(running & last_group & last_feature),
            head_done.eq(row_done & last_row),
            self.release_phases.eq(row_done),
            self.release_values.eq(head_done),
            self.i_head.ready.eq(head_done),
            command.strobe.read.eq(running),
            command.data.address.feature.eq(feature),
            command.data.address.group.eq(group),
            command.data.address.bank.eq(value_bank),
            command.data.ones.eq(ones),
            command.data.entry.eq(Mux(phase_bank, config.groups, 0) + group),
            command.data.final.eq(last_group),
            command.data.last.eq(last_feature),
        ]
        with m.If(~running):
            m.d.sync += [left.eq(head.tokens), columns_left.eq(head.features)]
            m.d.sync += [last_group.eq(one_group), last_feature.eq(no_feature)]
            m.d.comb += start.eq(self.i_head.valid & self.values_full & (self.phases != 0) & room)
        with m.Elif(row_done & ~head_done):
            m.d.comb += start.eq(above(self.phases, 1) & room)
        with m.If(start):
            m.d.sync += running.eq(1)
        with m.Elif(row_done):
            m.d.sync += running.eq(0)
        with m.If(running):
            m.d.sync += [group.eq(group + 1), left.eq(left - config.lanes)]
            m.d.sync += last_group.eq(~above(left, 2 * config.lanes))
            with m.If(last_group):
                m.d.sync += [group.eq(0), left.eq(head.tokens), last_group.eq(one_group), ones.eq(0)]
                m.d.sync += columns_left.eq(Mux(last_feature, head.features, columns_left - 1))
                m.d.sync += last_feature.eq(Mux(last_feature, no_feature, columns_left == 1))
                with m.If(~ones):
                    m.d.sync += feature.eq(feature + 1)
        with m.If(row_done):
            m.d.sync += [feature.eq(0), ones.eq(1), phase_bank.eq(~phase_bank), row.eq(row + 1)]
        with m.If(head_done):
            m.d.sync += [row.eq(0), value_bank.eq(~value_bank)]
        m.d.sync += [
            last_row.eq(row + 1 == head.tokens),  # in time: every row takes two cycles at least
            started.eq(start),
            used.eq(used + started - self.release_row),
        ]
        return m
