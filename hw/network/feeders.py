"""Feeders of the attention core: they read code memories in the order the core wants."""

from amaranth.hdl import Cat, Module, Signal
from amaranth.lib import data, stream, wiring
from amaranth.lib.wiring import In, Out

from golden.network.config import NetworkConfig
from golden.network.descriptors import AttentionOp
from hw.attention.payloads import query
from hw.network import payloads
from hw.parts.payloads import spike, struct


def group_of(config: NetworkConfig, *names: str) -> data.StructLayout:
    """Heads that run back to back, as the feeders need them; or the fields of these names alone."""
    layout = struct(AttentionOp, config)
    names = names or ("base", "features", "tokens", "span")
    return data.StructLayout({name: layout[name].shape for name in names})


class TraceFeeder(wiring.Component):
    """Reads keys or values for the core: feature by feature, the last token first.

    Members:
        group, start: heads to read, and when.
        read_feature, read_row, enable, code: code memory, one cycle later.
        o: codes.

    Timing: the first code two cycles after `start`, then one per cycle.
    """

    def __init__(self, config: NetworkConfig) -> None:
        self._config = config
        super().__init__(
            {
                "group": In(group_of(config)),
                "start": In(1),
                "read_feature": Out(config.feature_bits),
                "read_row": Out(payloads.row_width(config)),
                "enable": Out(1),
                "code": In(spike(config.code)),
                "o": Out(stream.Signature(spike(config.code))),
            }
        )

    def elaborate(self, platform: object) -> Module:
        m = Module()
        running, held, move = Signal(), Signal(), Signal()
        feature = Signal(self._config.feature_bits)
        left = Signal.like(self.group.span, name="left")
        row = Signal(payloads.row_width(self._config))
        m.d.comb += [
            move.eq(~held | self.o.ready),
            self.enable.eq(move),
            self.read_feature.eq(feature),
            self.read_row.eq(row),
            self.o.valid.eq(held),
            self.o.payload.eq(self.code),
        ]
        with m.If(move):
            m.d.sync += held.eq(running)
        with m.If(self.start):
            m.d.sync += [
                running.eq(1),
                feature.eq(self.group.base),
                left.eq(self.group.span),
                row.eq(self.group.tokens - 1),
            ]
        with m.Elif(running & move):
            m.d.sync += row.eq(row - 1)
            with m.If(row == 0):
                m.d.sync += [row.eq(self.group.tokens - 1), feature.eq(feature + 1), left.eq(left - 1)]
                with m.If(left == 1):
                    m.d.sync += running.eq(0)
        return m


class QueryFeeder(wiring.Component):
    """Reads query rows for the core and leaves silent features out.

    Every feature takes a cycle. A spike is held until the next one or the end of the row tells
    whether it is the row's last. What the code memory shows is registered first, so it is read early.

    Members: as `TraceFeeder`, but for:
        following, take: heads whose `start` comes next; taken a cycle before it, or earlier, when all before
            are read.
        start: comes only where the core holds nothing up.
        o: query spikes.

    Timing: the first feature is read with `start`; feature n is looked at n + 2 cycles later where the core
    holds nothing up.
    """

    def __init__(self, config: NetworkConfig) -> None:
        self._config = config
        super().__init__(
            {
                "following": In(group_of(config)),
                "take": In(1),
                "group": In(group_of(config, "features", "tokens")),
                "start": In(1),
                "read_feature": Out(config.feature_bits),
                "read_row": Out(payloads.row_width(config)),
                "enable": Out(1),
                "code": In(spike(config.code)),
                "o": Out(stream.Signature(query(config.attention))),
            }
        )

    def elaborate(self, platform: object) -> Module:
        m = Module()
        group = self.group
        # address: heads, in them rows, in them features
        running, reads = Signal(), Signal()
        head_base = Signal(self._config.feature_bits)
        left = Signal.like(self.following.span, name="left")
        feature = Signal.like(group.features, name="feature")
        # that this is the last feature of a row, of a row of a head, of a head: known a cycle before
        end_of_row, last_row, last_head = Signal(), Signal(), Signal()
        m.d.comb += reads.eq(self.start | running)
        shown, shown_feature, shown_end = Signal(), Signal.like(feature), Signal()
        looked_at, looked_feature, looked_end = Signal(), Signal.like(feature), Signal()
        code = Signal(spike(self._config.code), reset_less=True)
        held, full, move = Signal(query(self._config.attention)), Signal(), Signal()
        closing = Signal()  # the spike held is the last of its row
        arrives = Signal()
        # a spike that is held leaves when its successor is known; only then must the core take it
        m.d.comb += [
            arrives.eq(looked_at & (code.active | (looked_end & (~full | closing)))),
            self.o.payload.eq(held),
            self.o.payload.last.eq(closing),
            self.o.valid.eq(full & (closing | (looked_at & code.active))),
            move.eq(~self.o.valid | self.o.ready),
            self.enable.eq(move),
        ]
        with m.If(move):
            m.d.sync += [
                Cat(shown, shown_feature, shown_end).eq(Cat(reads, feature, end_of_row)),
                Cat(looked_at, looked_feature, looked_end).eq(Cat(shown, shown_feature, shown_end)),
                code.eq(self.code),
            ]
            with m.If(self.o.valid):
                m.d.sync += [full.eq(0), closing.eq(0)]
            with m.If(arrives):
                m.d.sync += [full.eq(1), held.feature.eq(looked_feature), held.spike.eq(code)]
            with m.If(looked_at & looked_end):
                m.d.sync += closing.eq(1)
            with m.If(reads):
                onward = self.read_feature + 1
                m.d.sync += [running.eq(1), feature.eq(feature + 1), self.read_feature.eq(onward)]
                m.d.sync += end_of_row.eq(feature + 2 == group.features)
                with m.If(end_of_row):
                    m.d.sync += [feature.eq(0), self.read_feature.eq(head_base)]
                    m.d.sync += [end_of_row.eq(group.features == 1), self.read_row.eq(self.read_row + 1)]
                    m.d.sync += last_row.eq(self.read_row + 2 == group.tokens)
                    with m.If(last_row):
                        m.d.sync += [self.read_row.eq(0), last_row.eq(group.tokens == 1)]
                        m.d.sync += [self.read_feature.eq(onward), head_base.eq(onward)]
                        m.d.sync += left.eq(left - group.features)
                        m.d.sync += last_head.eq(left == group.features << 1)
                        with m.If(last_head):
                            m.d.sync += running.eq(0)
        with m.If(self.take):
            m.d.sync += [
                self.read_feature.eq(self.following.base),
                head_base.eq(self.following.base),
                left.eq(self.following.span),
                end_of_row.eq(self.following.features == 1),
                last_row.eq(self.following.tokens == 1),
                last_head.eq(self.following.span == self.following.features),
            ]
        return m
