"""Feeders of the attention core: they read code memories in the order the core wants."""

from typing import Any

from amaranth.hdl import Module, Signal
from amaranth.lib import data, stream, wiring
from amaranth.lib.wiring import In, Out

from golden.network.config import NetworkConfig
from golden.network.descriptors import AttentionOp
from hw.attention.payloads import query
from hw.network import payloads
from hw.parts.payloads import spike, struct


def group_of(config: NetworkConfig) -> data.StructLayout:
    """Heads that run back to back, as the feeders need them."""
    layout = struct(AttentionOp, config)
    return data.StructLayout({name: layout[name].shape for name in ("base", "features", "tokens", "span")})


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
    whether it is the row's last.

    Members: as `TraceFeeder`; o: query spikes.

    Timing: feature n is looked at n + 2 cycles after `start` where the core holds nothing up; pipelined one
    cycle later.
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
                "o": Out(stream.Signature(query(config.attention))),
            }
        )

    def elaborate(self, platform: object) -> Module:
        m = Module()
        group = self.group
        # address: heads, in them rows, in them features
        running = Signal()
        head_base = Signal(self._config.feature_bits)
        left = Signal.like(self.group.span, name="left")
        row = Signal(payloads.row_width(self._config))
        feature = Signal.like(group.features, name="feature")
        end_of_row = Signal()
        m.d.comb += [
            end_of_row.eq(feature + 1 == group.features),
            self.read_feature.eq(head_base + feature),
            self.read_row.eq(row),
        ]
        looked_at, looked_feature, looked_end = Signal(), Signal.like(feature), Signal()
        held, full, move = Signal(query(self._config.attention)), Signal(), Signal()
        closing = Signal()  # the spike held is the last of its row
        arrives = Signal()
        code: Any = self.code
        read, read_feature, read_end = running, feature, end_of_row
        if self._config.pipelined:
            code = Signal(spike(self._config.code), name="code_registered")
            read, read_feature, read_end = Signal(), Signal.like(feature), Signal()
            with m.If(move):
                m.d.sync += [
                    code.eq(self.code), read.eq(running), read_feature.eq(feature), read_end.eq(end_of_row)
                ]  # fmt: skip
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
                looked_at.eq(read),
                looked_feature.eq(read_feature),
                looked_end.eq(read_end),
            ]
            with m.If(self.o.valid):
                m.d.sync += [full.eq(0), closing.eq(0)]
            with m.If(arrives):
                m.d.sync += [full.eq(1), held.feature.eq(looked_feature), held.spike.eq(code)]
            with m.If(looked_at & looked_end):
                m.d.sync += closing.eq(1)
            with m.If(running):
                m.d.sync += feature.eq(feature + 1)
                with m.If(end_of_row):
                    m.d.sync += [feature.eq(0), row.eq(row + 1)]
                    with m.If(row + 1 == group.tokens):
                        m.d.sync += [
                            row.eq(0),
                            head_base.eq(head_base + group.features),
                            left.eq(left - group.features),
                        ]
                        with m.If(left == group.features):
                            m.d.sync += running.eq(0)
        with m.If(self.start):
            m.d.sync += [
                running.eq(1),
                feature.eq(0),
                row.eq(0),
                head_base.eq(group.base),
                left.eq(group.span),
            ]
        return m
