"""Loads bias and mask of the next row into the terms chain of all clusters."""

from amaranth.hdl import Module, Mux, Signal, Value
from amaranth.lib import stream, wiring
from amaranth.lib.wiring import In, Out

from golden.attention.config import CoreConfig
from hw.attention import payloads
from hw.attention.trace import TraceLookup
from hw.parts.compare import above


class TermsLoader(wiring.Component):
    """Shifts the terms of one pass (a row, one group of keys) into the chain.

    A pass is ceil(tokens of the group / terms_per_beat) beats, the beat with the last tokens
    first; the first beat is padded where the division leaves a rest.

    Members:
        i_head: tokens of each head, and whether it has terms at all.
        i: terms.
        o_shift, o_terms: to the first cluster; the terms are one cycle behind their shift.
        full: the chain holds the terms of the next pass.
        consume: the terms of the pass are sent to the scores now.

    Timing: one beat per cycle; `full` one cycle after the last beat of a pass; the next beat is
    taken 3 + lookup cycles after `consume`, when the scores have read the chain.
    """

    def __init__(self, config: CoreConfig) -> None:
        self._config = config
        super().__init__(
            {
                "i_head": In(stream.Signature(payloads.head_part(config, "tokens", "terms"))),
                "i": In(stream.Signature(payloads.terms(config))),
                "o_shift": Out(1),
                "o_terms": Out(payloads.terms(config)),
                "full": Out(1),
                "consume": In(1),
            }
        )

    def elaborate(self, platform: object) -> Module:
        m = Module()
        config = self._config
        head = self.i_head.payload
        row, last_row = Signal.like(head.tokens), Signal()
        left = Signal.like(head.tokens)  # tokens of this group and the later ones
        last_group = Signal()
        # Tokens of the pass that are not in the chain yet; the beat with the last of them is known before it
        # comes: the stream that brings it waits for what follows
        rest, last_beat = Signal(range(config.lanes + 1)), Signal()
        pause = 2 + TraceLookup.latency(config)
        wait = Signal(range(pause))
        m.d.sync += [
            self.o_terms.eq(self.i.payload),
            last_row.eq(row + 1 == head.tokens),  # in time: every row takes several cycles
        ]
        beat = config.terms_per_beat

        def begin(tokens: Value) -> None:
            m.d.sync += [
                rest.eq(Mux(above(tokens, config.lanes), config.lanes, tokens)),
                last_beat.eq(~above(tokens, beat) if beat < config.lanes else 1),
            ]

        with m.FSM():
            with m.State("IDLE"):
                m.d.sync += [row.eq(0), left.eq(head.tokens)]
                begin(head.tokens)
                with m.If(self.i_head.valid):
                    with m.If(head.terms):
                        m.next = "LOAD"
                    with m.Else():
                        m.d.comb += self.i_head.ready.eq(1)
            with m.State("LOAD"):
                m.d.comb += [self.i.ready.eq(1), self.o_shift.eq(self.i.valid)]
                with m.If(self.i.valid):
                    m.d.sync += [rest.eq(rest - beat), last_beat.eq(~above(rest, 2 * beat))]
                    with m.If(last_beat):
                        m.next = "FULL"
            with m.State("FULL"):
                m.d.comb += self.full.eq(1)
                more = above(left, config.lanes)
                with m.If(self.consume):
                    m.d.sync += [last_group.eq(~more), left.eq(Mux(more, left - config.lanes, head.tokens))]
                    m.next = "WAIT"
            with m.State("WAIT"):
                begin(left)
                m.d.sync += wait.eq(wait + 1)
                with m.If(wait == pause - 1):
                    m.d.sync += wait.eq(0)
                    m.next = "LOAD"
                    with m.If(last_group):
                        m.d.sync += row.eq(row + 1)
                        with m.If(last_row):
                            m.d.comb += self.i_head.ready.eq(1)
                            m.next = "IDLE"
        return m
