"""Loads keys or values into the local trace memories of all clusters."""

from amaranth.hdl import Module, Signal
from amaranth.lib import stream, wiring
from amaranth.lib.wiring import In, Out
from amaranth.utils import ceil_log2

from golden.attention.config import CoreConfig
from golden.widths import index_width
from hw.attention import payloads
from hw.parts.payloads import spike


class TraceLoader(wiring.Component):
    """Turns a stream of single spikes into words of the trace memories.

    Spikes of a head come feature by feature; within a feature group by group; within a group
    (`lanes` tokens, the last group what is left) the last token first.

    Members:
        i_head: tokens and features of each head.
        i: spikes.
        o_command, o_spike: to the first cluster; the spike is one cycle behind its `shift`.
        full: a bank holds a whole head.
        release: the oldest full bank is not needed any more.

    Timing: one spike per cycle. `full` two cycles after the last spike of a head. The next head
    loads into the other bank, from three cycles after the last spike, two after `release` on.
    """

    def __init__(self, config: CoreConfig) -> None:
        self._config = config
        super().__init__(
            {
                "i_head": In(stream.Signature(payloads.head_part(config, "tokens", "features"))),
                "i": In(stream.Signature(spike(config.code))),
                "o_command": Out(payloads.load_command(config)),
                "o_spike": Out(spike(config.code)),
                "full": Out(1),
                "release": In(1),
            }
        )

    def elaborate(self, platform: object) -> Module:
        m = Module()
        config = self._config
        head = self.i_head.payload
        loading = Signal()
        started, filled = Signal(range(3)), Signal(range(3))
        feature = Signal(index_width(config.head_dim))
        features_left, last_feature = Signal.like(head.features), Signal()
        group = Signal(max(1, ceil_log2(config.groups)))
        # Tokens of this feature still to come. That the next is the last, and of the last feature, is known
        # before it comes: what brings it waits for what follows
        left, last_token = Signal.like(head.tokens), Signal()
        lane = Signal(range(config.lanes))
        bank = Signal()

        start, word, feature_done, done = Signal(), Signal(), Signal(), Signal()
        transfer = Signal()
        m.d.comb += [
            start.eq(~loading & self.i_head.valid & (started != 2)),
            self.i.ready.eq(loading),
            transfer.eq(loading & self.i.valid),
            feature_done.eq(transfer & last_token),
            word.eq(feature_done | (transfer & (lane == config.lanes - 1))),
            done.eq(feature_done & last_feature),
            self.i_head.ready.eq(done),
            self.o_command.strobe.shift.eq(transfer),
            self.full.eq(filled != 0),
        ]
        with m.If(start):
            m.d.sync += [loading.eq(1), feature.eq(0), features_left.eq(head.features)]
            m.d.sync += [left.eq(head.tokens), last_token.eq(head.tokens == 1)]
            m.d.sync += last_feature.eq(head.features == 1)
        with m.If(transfer):
            m.d.sync += [lane.eq(lane + 1), left.eq(left - 1), last_token.eq(left == 2)]
        with m.If(word):
            m.d.sync += [lane.eq(0), group.eq(group + 1)]
        with m.If(feature_done):
            m.d.sync += [group.eq(0), left.eq(head.tokens), last_token.eq(head.tokens == 1)]
            m.d.sync += [feature.eq(feature + 1), features_left.eq(features_left - 1)]
            m.d.sync += last_feature.eq(features_left == 2)
        with m.If(done):
            m.d.sync += [bank.eq(~bank), loading.eq(0)]

        write, write_last = Signal(), Signal()
        address = Signal(payloads.memory_address(config), reset_less=True)
        m.d.sync += [
            write.eq(word),
            write_last.eq(done),
            self.o_spike.eq(self.i.payload),
            address.feature.eq(feature),
            address.group.eq(group),
            address.bank.eq(bank),
            started.eq(started + start - self.release),
            filled.eq(filled + write_last - self.release),
        ]
        m.d.comb += [self.o_command.strobe.write.eq(write), self.o_command.data.address.eq(address)]
        return m
