"""Stage 1: broadcasts query rows to the score lanes."""

from amaranth.hdl import Module, Mux, Signal
from amaranth.lib import stream, wiring
from amaranth.lib.wiring import In, Out
from amaranth.utils import ceil_log2

from golden.attention.config import CoreConfig
from golden.widths import index_width
from hw.attention import payloads
from hw.parts.compare import above


class ScoreSequencer(wiring.Component):
    """For each row and each group of keys: terms if there are any, the spikes of the row, `take`.

    Members:
        i_head: tokens of each head, and whether it has terms.
        rows, last, index, spike, leave_row, release_row: query buffer, read one cycle ahead.
        keys_full, release_keys: key memory.
        terms_full, consume_terms: terms chain.
        winner_free: the search can take a score now.
        take, final: a score is handed over (of the last group of its row).
        o_command: to the first cluster, one cycle after the decision.

    Timing: a pass takes (1 with terms) + spikes + 1 cycles; the next pass follows at once if its
    row, keys and terms are there, with two cycles between heads.
    """

    def __init__(self, config: CoreConfig) -> None:
        self._config = config
        width = index_width(config.head_dim)
        super().__init__(
            {
                "i_head": In(stream.Signature(payloads.head_part(config, "tokens", "terms"))),
                "rows": In(range(payloads.ROW_BANKS + 1)),
                "last": In(width),
                "index": Out(width),
                "spike": In(payloads.query(config)),
                "leave_row": Out(1),
                "release_row": Out(1),
                "keys_full": In(1),
                "release_keys": Out(1),
                "terms_full": In(1),
                "consume_terms": Out(1),
                "winner_free": In(1),
                "take": Out(1),
                "final": Out(1),
                "o_command": Out(payloads.score_command(config)),
            }
        )

    def elaborate(self, platform: object) -> Module:
        m = Module()
        config = self._config
        head = self.i_head.payload
        row, last_row = Signal(range(config.tokens)), Signal()
        left = Signal.like(head.tokens)  # tokens of this and the later groups, while a row runs
        group = Signal(max(1, ceil_log2(config.groups)))
        bank = Signal()
        place, add = Signal.like(self.index), Signal()  # of the spike that is broadcast
        terms_ready = Signal()
        m.d.comb += [
            terms_ready.eq(~head.terms | self.terms_full),
            self.final.eq(~above(left, config.lanes)),
        ]
        m.d.sync += last_row.eq(row + 1 == head.tokens)  # in time: every row takes two cycles at least

        def begin() -> None:
            with m.If(head.terms):
                m.next = "TERMS"
            with m.Else():
                m.next = "SPIKES"

        with m.If(group == 0):  # nothing is left out yet
            m.d.sync += left.eq(head.tokens)
        with m.FSM():
            with m.State("IDLE"), m.If(self.i_head.valid & self.keys_full & (self.rows != 0) & terms_ready):
                begin()
            with m.State("TERMS"):
                m.d.comb += self.consume_terms.eq(1)
                m.next = "SPIKES"
            with m.State("SPIKES"):
                m.d.comb += add.eq(1)
                m.d.sync += place.eq(self.index)
                with m.If(place == self.last):
                    m.d.sync += place.eq(0)
                    m.d.comb += self.leave_row.eq(self.final)
                    m.next = "TAKE"
            with m.State("TAKE"), m.If(self.winner_free):
                m.d.comb += self.take.eq(1)
                m.next = "IDLE"
                with m.If(~self.final):
                    m.d.sync += [group.eq(group + 1), left.eq(left - config.lanes)]
                    with m.If(terms_ready):
                        begin()
                with m.Else():
                    m.d.comb += self.release_row.eq(1)
                    m.d.sync += [group.eq(0), left.eq(head.tokens), row.eq(row + 1)]
                    with m.If(last_row):
                        m.d.comb += [self.release_keys.eq(1), self.i_head.ready.eq(1)]
                        m.d.sync += [row.eq(0), bank.eq(~bank)]
                    with m.Elif(above(self.rows, 1) & terms_ready):
                        begin()

        # while none is broadcast the first spike of the next pass is read, which may begin in the next cycle
        command = self.o_command
        added = Signal()
        m.d.sync += [
            added.eq(add),
            command.strobe.terms.eq(self.consume_terms),
            command.strobe.take.eq(self.take),
            command.data.present.eq(Mux(self.final, left, config.lanes)),
            command.data.address.group.eq(group),
            command.data.address.bank.eq(bank),
        ]
        m.d.comb += [
            self.index.eq(place + add),
            command.strobe.add.eq(added & self.spike.spike.active),
            command.data.address.feature.eq(self.spike.feature),
            command.data.negative.eq(self.spike.spike.negative),
            command.data.phase.eq(self.spike.spike.phase),
        ]
        return m
