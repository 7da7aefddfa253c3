"""Attention unit: feeds the attention core from code memories and collects its output rows."""

from amaranth.hdl import Cat, Module, Signal, Value
from amaranth.lib import data, stream, wiring
from amaranth.lib.memory import Memory
from amaranth.lib.wiring import In, Out, connect

from golden.network.config import NetworkConfig
from golden.network.descriptors import AttentionOp
from golden.widths import index_width
from hw.attention.core import AttentionCore
from hw.network import payloads
from hw.network.feeders import QueryFeeder, TraceFeeder, group_of
from hw.network.load_bus import pick
from hw.network.terms_feeder import TermsFeeder, run_of
from hw.network.token_counts import members, missing_of, there
from hw.parts.descriptors import DescriptorFetch
from hw.parts.memory import NO_COLLISION
from hw.parts.payloads import spike, struct


class AttentionUnit(wiring.Component):
    """Runs the list of attention descriptors, a group of heads of one window at a time.

    Members:
        i_load, i_write: words of the descriptor memory; i_write_N: of the table N of bias or mask.
        i_qkv: codes of q, k, v.
        rows_linear: rows that the linear unit will have completed in the next cycle.
        o: rows of the output codes; cannot be held up.
        row_done: a row of a head is complete; missing, short: see `hw.network.token_counts`.
        begin: an image is there; start with the first descriptor.

    Timing: a group starts when it may and the one before is complete, a cycle later where it need not wait.
    Descriptors of its heads reach the core three cycles apart, the first one cycle after the feeders start.
    """

    def __init__(self, config: NetworkConfig) -> None:
        self._config = config
        self.tables = [name for name in payloads.TABLES.values() if name in payloads.memories(config)]
        super().__init__(
            {
                "i_load": In(payloads.load(config)),
                "i_write": In(1),
                **{f"i_write_{name}": In(1) for name in self.tables},
                "i_qkv": In(stream.Signature(payloads.qkv_write(config), always_ready=True)),
                "rows_linear": In(config.row_count_width),
                "o": Out(stream.Signature(payloads.list_write(config), always_ready=True)),
                "row_done": Out(1),
                "begin": In(1),
            }
            | members(config)
        )

    def elaborate(self, platform: object) -> Module:
        m = Module()
        config = self._config
        op_layout = struct(AttentionOp, config)
        m.submodules.ops = ops = Memory(shape=op_layout, depth=config.heads, init=[], attrs=NO_COLLISION)
        op_read, op_write = ops.read_port(), ops.write_port()
        pick(m, op_write, self.i_load, self.i_write)
        # streamed weights come with lists that fill the block RAM
        m.submodules.core = core = AttentionCore(config.attention, lut_ram=config.weight_stream > 0)
        op, lead = Signal(op_layout), Signal(op_layout)
        fetch = DescriptorFetch(m, op_read, op)
        group = Signal(group_of(config))
        leads, complete, start = Signal(), Signal(), Signal()
        heads_left = Signal.like(op.group, name="heads_left")
        rows_left = Signal.like(op.group_rows, name="rows_left")
        tokens = there(self, lead, lead.tokens, config)
        m.d.comb += [
            getattr(group, name).eq(tokens if name == "tokens" else getattr(lead, name))
            for name in ("base", "features", "tokens", "span")
        ]

        query = self._feed(m, core, lead, group, start)
        m.d.comb += [
            query.take.eq(leads),
            *[query.following[name].eq(op[name]) for name in ("base", "features", "span")],
            query.following.tokens.eq(there(self, op, op.tokens, config)),
        ]
        with m.If(leads):
            m.d.sync += [lead.eq(op), heads_left.eq(op.group)]
        head = core.i_head
        m.d.comb += [
            head.payload.tokens.eq(there(self, op, op.tokens, config)),
            head.payload.features.eq(op.features),
            head.payload.window.eq(config.code.steps),
            head.payload.step.eq(op.step),
            head.payload.ratio.eq(op.ratio),
        ]
        if self.tables:
            self._terms(m, core, op, lead, tokens, start)
        m.d.sync += complete.eq(self.rows_linear > op.wait)
        with m.FSM():
            with fetch.states(m, self.begin) as fetched:
                m.next = "HEAD"
                with m.If(fetched.leads):
                    m.next = "LEAD"
            with m.State("LEAD"):
                m.d.comb += leads.eq(1)
                m.next = "WAIT"
            # rows of the group before have all come: its descriptors end with that
            with m.State("WAIT"), m.If(complete):
                m.d.comb += start.eq(1)
                m.next = "HEAD"
            with m.State("HEAD"):
                m.d.comb += head.valid.eq(1)
                with m.If(head.ready):
                    fetch.step(m)
                    m.d.sync += heads_left.eq(heads_left - 1)
                    m.next = "LOAD"
                    with m.If(heads_left == 1):
                        m.next = "GROUP"
            with m.State("GROUP"), m.If(rows_left == 0):
                fetch.following(m)

        # output codes: head by head, row by row
        code = core.o_code
        head_base, feature = Signal(config.feature_bits), Signal(config.feature_bits)
        row = Signal(payloads.row_width(config))
        beat = self.o.payload
        m.d.comb += [
            code.ready.eq(1),
            self.o.valid.eq(code.valid),
            beat.row.eq(self._placed(row, lead)),
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
            with m.If(row + 1 == tokens):
                m.d.sync += [row.eq(0), head_base.eq(head_base + lead.features)]
                if config.token_counts:
                    m.d.comb += self.short.eq(lead.counted)
                    m.d.sync += rows_left.eq(rows_left - 1 - missing_of(self, lead, config))
        return m

    def _placed(self, row: Signal, lead: data.View) -> Value:
        """A row of the window in the memories."""
        return (row + lead.row)[: len(row)] if self._config.windows else row

    def _feed(
        self, m: Module, core: AttentionCore, lead: data.View, group: data.View, start: Signal
    ) -> QueryFeeder:
        """Memories of q, k and v, written by the linear unit and read for the heads that start."""
        config = self._config
        query = QueryFeeder(config)
        feeders: tuple[QueryFeeder | TraceFeeder, ...] = (query, TraceFeeder(config), TraceFeeder(config))
        for part, (name, feeder) in enumerate(zip(("query", "key", "value"), feeders, strict=True)):
            rows = index_width(config.most_stream_rows)
            depth = config.widest << rows
            memory = Memory(shape=spike(config.code), depth=depth, init=[], attrs=NO_COLLISION)
            m.submodules[f"{name}_codes"], m.submodules[f"{name}_feeder"] = memory, feeder
            read, write = memory.read_port(), memory.write_port()
            m.d.comb += [
                write.addr.eq(Cat(self.i_qkv.payload.row[:rows], self.i_qkv.payload.feature)),
                write.data.eq(self.i_qkv.payload.spike),
                write.en.eq(self.i_qkv.valid & (self.i_qkv.payload.part == part)),
                read.addr.eq(Cat(self._placed(feeder.read_row, lead)[:rows], feeder.read_feature)),
                read.en.eq(feeder.enable),
                feeder.code.eq(read.data),
                *[feeder.group[name].eq(group[name]) for name in feeder.group.shape().members],
                feeder.start.eq(start),
            ]
            connect(m, feeder.o, getattr(core, f"i_{name}"))
        return query

    def _terms(
        self, m: Module, core: AttentionCore, op: data.View, lead: data.View, tokens: Value, start: Signal
    ) -> None:
        """Feed the biases and masks of the heads that start, of `tokens` rows each."""
        m.submodules.terms_feeder = terms = TermsFeeder(self._config)
        fields = run_of(self._config).members
        m.d.comb += [
            terms.i_load.eq(self.i_load),
            *[getattr(terms, f"i_write_{name}").eq(getattr(self, f"i_write_{name}")) for name in self.tables],
            *[terms.run[name].eq(tokens if name == "tokens" else lead[name]) for name in fields],
            terms.start.eq(start),
            core.i_head.payload.terms.eq(Cat(op[n] for n in ("biased", "masked") if n in fields).any()),
        ]
        connect(m, terms.o, core.i_terms)
