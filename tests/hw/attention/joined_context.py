"""Columns of the context and rows of the output, joined as in the core, with streams around them.

Clusters see everything one cycle after each other, as in `hw.attention.cluster`.
"""

from amaranth.hdl import Module, Signal, signed, unsigned
from amaranth.lib import data, stream, wiring
from amaranth.lib.wiring import In, Out, connect, flipped

from golden.attention.config import CoreConfig
from hw.attention import payloads
from hw.attention.adder_tree import AdderTree
from hw.attention.context_rows import ContextRows
from hw.attention.phase_encoder import PhaseEncoder
from hw.attention.trace import TraceLookup
from hw.parts.payloads import spike
from tests.hw.attention.wrappers import delay, free


class Columns(wiring.Component):
    """Trace lookups and adder trees of all clusters.

    Members:
        i: attention spike and value of every lane, and what the column is; one of ones whatever its values.
        o: its sum, and what it is.
    """

    TAGS = ("ones", "final", "last")

    def __init__(self, config: CoreConfig) -> None:
        self._config = config
        tags = dict.fromkeys(self.TAGS, unsigned(1))
        column = {
            "attention": data.ArrayLayout(payloads.attention(config), config.lanes),
            "value": data.ArrayLayout(spike(config.code), config.lanes),
        }
        total = {"total": signed(config.context_width)}
        super().__init__(
            {
                "i": In(free(data.StructLayout(column | tags))),
                "o": Out(free(data.StructLayout(total | tags))),
            }
        )

    def elaborate(self, platform: object) -> Module:
        m = Module()
        config = self._config
        column, valid = self.i.payload, self.i.valid
        link = None
        lookup = TraceLookup.latency(config)
        for n in range(config.clusters):
            m.submodules[f"tree_{n}"] = tree = AdderTree(config, first_cluster=n == 0)
            column, valid = delay(m, column, 1), delay(m, valid, 1)
            m.d.comb += tree.tags.valid.eq(delay(m, valid, lookup))
            m.d.comb += [getattr(tree.tags, name).eq(delay(m, column[name], lookup)) for name in self.TAGS]
            if link is not None:
                m.d.comb += tree.i.eq(link)
            link = tree.o
            for lane in range(config.cluster):
                number = n * config.cluster + lane
                m.submodules[f"trace_{number}"] = trace = TraceLookup(config)
                m.d.comb += [
                    trace.context_a.active.eq(column.attention[number].active),
                    trace.context_a.phase.eq(column.attention[number].phase),
                    trace.context_b.eq(column.value[number]),
                    trace.ones.eq(column.ones),
                    tree.addends[lane].eq(trace.context_addend),
                    tree.carries[lane].eq(trace.context_carry),
                ]
        m.d.comb += [self.o.valid.eq(link.tags.valid), self.o.payload.total.eq(link.sum + link.carry)]
        m.d.comb += [getattr(self.o.payload, name).eq(getattr(link.tags, name)) for name in self.TAGS]
        return m


class OutputRows(wiring.Component):
    """Context buffer and phase encoder; room is granted as by the context sequencer.

    Members:
        i: partial sums, in the order of the context sequencer.
        i_levels: `i` of the encoder.
        o_normaliser, o_code, o_context: of the two units.
    """

    def __init__(self, config: CoreConfig) -> None:
        self._config = config
        self._rows, self._encoder = ContextRows(config), PhaseEncoder(config)
        link = payloads.context_link(config)
        part = {name: link[name].shape for name in ("sum", "carry")} | dict.fromkeys(
            Columns.TAGS, unsigned(1)
        )
        encoder = self._encoder.signature.members
        super().__init__(
            {
                "i": In(stream.Signature(data.StructLayout(part))),
                "i_levels": encoder["i"],
                "o_normaliser": self._rows.signature.members["o_normaliser"],
                "o_code": encoder["o_code"],
                "o_context": encoder["o_context"],
            }
        )

    def elaborate(self, platform: object) -> Module:
        m = Module()
        m.submodules.rows, m.submodules.encoder = rows, encoder = self._rows, self._encoder
        connect(m, rows.o_normaliser, flipped(self.o_normaliser))
        connect(m, encoder.o_code, flipped(self.o_code))
        connect(m, encoder.o_context, flipped(self.o_context))
        # the levels of a row come after its normaliser was taken
        normalisers, taken = Signal(range(payloads.ROW_BANKS + 1)), Signal()
        m.d.comb += [
            taken.eq(encoder.i.valid & encoder.i.ready),
            encoder.i.payload.eq(self.i_levels.payload),
            encoder.i.valid.eq(self.i_levels.valid & (normalisers != 0)),
            self.i_levels.ready.eq(encoder.i.ready & (normalisers != 0)),
        ]
        m.d.sync += normalisers.eq(normalisers + (self.o_normaliser.valid & self.o_normaliser.ready) - taken)
        part = self.i.payload
        used, open_row, transfer = Signal(range(payloads.ROW_BANKS + 1)), Signal(), Signal()
        m.d.comb += [
            self.i.ready.eq(open_row | (used != payloads.ROW_BANKS)),
            transfer.eq(self.i.valid & self.i.ready),
            rows.i.sum.eq(part.sum),
            rows.i.carry.eq(part.carry),
            rows.i.tags.valid.eq(transfer),
            encoder.rows.eq(rows.rows),
            encoder.value.eq(rows.value),
            rows.release.eq(encoder.release),
            rows.bank.eq(encoder.bank),
            rows.column.eq(encoder.column),
            rows.enable.eq(encoder.enable),
        ]
        m.d.comb += [getattr(rows.i.tags, name).eq(getattr(part, name)) for name in Columns.TAGS]
        m.d.sync += used.eq(used + (transfer & ~open_row) - encoder.release)
        with m.If(transfer):
            m.d.sync += open_row.eq(~(part.final & part.last))
        return m
