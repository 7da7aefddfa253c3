"""Attention unit: feeds the attention core from code memories and collects its output rows."""

from amaranth.hdl import Cat, Module, Signal
from amaranth.lib import data, stream, wiring
from amaranth.lib.memory import Memory
from amaranth.lib.wiring import In, Out, connect
from amaranth.utils import bits_for

from golden.network.program import NetworkConfig
from hw import payloads
from hw.core import AttentionCore
from hw.neuron import layouts
from hw.payloads import index_width


def group_of(config: NetworkConfig) -> data.StructLayout:
    """Heads that run back to back, as the feeders need them."""
    return data.StructLayout(
        {
            "base": layouts.FEATURE_BITS,
            "features": bits_for(config.attention.head_dim),
            "tokens": bits_for(config.attention.tokens),
            "span": layouts.FEATURE_BITS + 1,
        }
    )


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
                "read_feature": Out(layouts.FEATURE_BITS),
                "read_row": Out(layouts.row_width(config)),
                "enable": Out(1),
                "code": In(payloads.spike(config.code)),
                "o": Out(stream.Signature(payloads.spike(config.code))),
            }
        )

    def elaborate(self, platform: object) -> Module:
        m = Module()
        running, held, move = Signal(), Signal(), Signal()
        feature = Signal(layouts.FEATURE_BITS)
        left = Signal(layouts.FEATURE_BITS + 1)
        row = Signal(layouts.row_width(self._config))
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

    Timing: feature n is looked at n + 2 cycles after `start` where the core holds nothing up.
    """

    def __init__(self, config: NetworkConfig) -> None:
        self._config = config
        super().__init__(
            {
                "group": In(group_of(config)),
                "start": In(1),
                "read_feature": Out(layouts.FEATURE_BITS),
                "read_row": Out(layouts.row_width(config)),
                "enable": Out(1),
                "code": In(payloads.spike(config.code)),
                "o": Out(stream.Signature(payloads.query(config.attention))),
            }
        )

    def elaborate(self, platform: object) -> Module:
        m = Module()
        group = self.group
        # address: heads, in them rows, in them features
        running = Signal()
        head_base = Signal(layouts.FEATURE_BITS)
        left = Signal(layouts.FEATURE_BITS + 1)
        row = Signal(layouts.row_width(self._config))
        feature = Signal(bits_for(self._config.attention.head_dim))
        end_of_row = Signal()
        m.d.comb += [
            end_of_row.eq(feature + 1 == group.features),
            self.read_feature.eq(head_base + feature),
            self.read_row.eq(row),
        ]
        looked_at, looked_feature, looked_end = Signal(), Signal.like(feature), Signal()
        held, full, move = Signal(payloads.query(self._config.attention)), Signal(), Signal()
        closing = Signal()  # the spike held is the last of its row
        arrives = Signal()
        # a spike that is held leaves when its successor is known; only then must the core take it
        m.d.comb += [
            arrives.eq(looked_at & (self.code.active | (looked_end & (~full | closing)))),
            self.o.payload.eq(held),
            self.o.payload.last.eq(closing),
            self.o.valid.eq(full & (closing | (looked_at & self.code.active))),
            move.eq(~self.o.valid | self.o.ready),
            self.enable.eq(move),
        ]
        with m.If(move):
            m.d.sync += [
                looked_at.eq(running),
                looked_feature.eq(feature),
                looked_end.eq(end_of_row),
            ]
            with m.If(self.o.valid):
                m.d.sync += [full.eq(0), closing.eq(0)]
            with m.If(arrives):
                m.d.sync += [full.eq(1), held.feature.eq(looked_feature), held.spike.eq(self.code)]
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


class AttentionUnit(wiring.Component):
    """Runs the list of attention descriptors, a group of heads at a time.

    Members:
        i_load, i_write: words of the descriptor memory.
        i_qkv: codes of q, k, v.
        rows_linear: rows that the linear unit has completed.
        o: rows of the output codes; cannot be held up.
        row_done: a row of a head is complete.
        begin: an image is there; start with the first descriptor.

    Timing: a group starts when it may and the one before is complete. Descriptors of its heads
    reach the core three cycles apart, the first one cycle after the feeders start.
    """

    def __init__(self, config: NetworkConfig) -> None:
        self._config = config
        super().__init__(
            {
                "i_load": In(layouts.load(config)),
                "i_write": In(1),
                "i_qkv": In(stream.Signature(layouts.qkv_write(config), always_ready=True)),
                "rows_linear": In(layouts.ROW_COUNT_BITS),
                "o": Out(stream.Signature(layouts.list_write(config), always_ready=True)),
                "row_done": Out(1),
                "begin": In(1),
            }
        )

    def elaborate(self, platform: object) -> Module:
        m = Module()
        config = self._config
        op_layout = layouts.attention_op(config)
        m.submodules.ops = ops = Memory(shape=op_layout, depth=config.heads, init=[])
        op_read, op_write = ops.read_port(), ops.write_port()
        m.submodules.core = core = AttentionCore(config.attention)
        op, lead = Signal(op_layout), Signal(op_layout)
        group = Signal(group_of(config))
        pc = Signal(index_width(config.heads))
        start = Signal()
        heads_left = Signal(8)
        rows_left = Signal(8 + bits_for(config.tokens))
        m.d.comb += [
            op_write.addr.eq(self.i_load.address),
            op_write.data.eq(self.i_load.data.as_value()),
            op_write.en.eq(self.i_write),
            op_read.addr.eq(pc),
            *[
                getattr(group, name).eq(getattr(lead, name))
                for name in ("base", "features", "tokens", "span")
            ],
        ]

        feeders: tuple[QueryFeeder | TraceFeeder, ...] = (
            QueryFeeder(config),
            TraceFeeder(config),
            TraceFeeder(config),
        )
        rows = layouts.row_width(config)
        for part, (name, feeder) in enumerate(zip(("query", "key", "value"), feeders, strict=True)):
            memory = Memory(shape=payloads.spike(config.code), depth=config.features << rows, init=[])
            m.submodules[f"{name}_codes"], m.submodules[f"{name}_feeder"] = memory, feeder
            read, write = memory.read_port(), memory.write_port()
            m.d.comb += [
                write.addr.eq(Cat(self.i_qkv.payload.row, self.i_qkv.payload.feature)),
                write.data.eq(self.i_qkv.payload.spike),
                write.en.eq(self.i_qkv.valid & (self.i_qkv.payload.part == part)),
                read.addr.eq(Cat(feeder.read_row, feeder.read_feature)),
                read.en.eq(feeder.enable),
                feeder.code.eq(read.data),
                feeder.group.eq(group),
                feeder.start.eq(start),
            ]
            connect(m, feeder.o, getattr(core, f"i_{name}"))

        head = core.i_head
        m.d.comb += [
            head.payload.tokens.eq(op.tokens),
            head.payload.features.eq(op.features),
            head.payload.window.eq(config.code.steps),
            head.payload.step.eq(op.step),
            head.payload.ratio.eq(op.ratio),
        ]
        with m.FSM():
            with m.State("IDLE"):
                m.d.sync += pc.eq(0)
                with m.If(self.begin):
                    m.next = "LOAD"
            with m.State("LOAD"):
                m.next = "DATA"
            with m.State("DATA"):
                m.d.sync += op.eq(op_read.data)
                m.next = "HEAD"
                with m.If(op_read.data.leads):
                    m.d.sync += [lead.eq(op_read.data), heads_left.eq(op_read.data.group)]
                    m.next = "WAIT"
            with m.State("WAIT"), m.If((self.rows_linear > op.wait) & (rows_left == 0)):
                m.d.comb += start.eq(1)
                m.next = "HEAD"
            with m.State("HEAD"):
                m.d.comb += head.valid.eq(1)
                with m.If(head.ready):
                    m.d.sync += [pc.eq(pc + 1), heads_left.eq(heads_left - 1)]
                    m.next = "LOAD"
                    with m.If(heads_left == 1):
                        m.next = "GROUP"
            with m.State("GROUP"), m.If(rows_left == 0):
                m.next = "LOAD"
                with m.If(op.final):
                    m.next = "IDLE"

        # output codes: head by head, row by row
        code = core.o_code
        head_base, feature = Signal(layouts.FEATURE_BITS), Signal(layouts.FEATURE_BITS)
        row = Signal(rows)
        beat = self.o.payload
        m.d.comb += [
            code.ready.eq(1),
            self.o.valid.eq(code.valid),
            beat.row.eq(row),
            beat.first.eq(lead.first & (head_base == lead.base) & (feature == 0)),
            beat.entry.feature.eq(head_base + feature),
            beat.entry.spike.eq(code.payload.spike),
            self.row_done.eq(code.valid & code.payload.last),
        ]
        with m.If(start):
            m.d.sync += [head_base.eq(op.base), row.eq(0), feature.eq(0)]
            m.d.sync += rows_left.eq(op.group_rows)
        with m.If(code.valid):
            m.d.sync += feature.eq(feature + 1)
        with m.If(self.row_done):
            m.d.sync += [feature.eq(0), row.eq(row + 1), rows_left.eq(rows_left - 1)]
            with m.If(row + 1 == lead.tokens):
                m.d.sync += [row.eq(0), head_base.eq(head_base + lead.features)]
        return m
