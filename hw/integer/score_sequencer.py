"""Takes query rows in, and sends every key of a head past each of them."""

from amaranth.hdl import Module, Mux, Signal
from amaranth.lib import stream, wiring
from amaranth.lib.wiring import In, Out

from hw.integer import payloads
from hw.integer.vector_config import VectorConfig


class ScoreSequencer(wiring.Component):
    """One product per key and row.

    Members:
        i_head: tokens of each head, and whether it has terms.
        i: query rows.
        keys_full, finish_keys: key memory.
        terms_full: the terms of a row are there.
        release: the oldest row of scores is not held any more.
        start: a row begins.
        o_shift, o_vector, o_dot, o_tags: to the vector unit; the query is one cycle behind its shift, else 0.

    Timing: a query row enters the chain while keys go past the one before it: one feature per cycle, from the
    second cycle after `start` on. tokens + 1 cycles per row, or features + 2 where that is more; two more
    between heads.
    """

    def __init__(self, config: VectorConfig) -> None:
        self._config = config
        self._address = payloads.key_address(config)
        super().__init__(
            {
                "i_head": In(stream.Signature(payloads.head_part(config, "tokens", "terms"))),
                "i": In(stream.Signature(payloads.query(config))),
                "keys_full": In(1),
                "finish_keys": Out(1),
                "terms_full": In(1),
                "release": In(1),
                "start": Out(1),
                "o_shift": Out(1),
                "o_vector": Out(payloads.code(config)),
                "o_dot": Out(payloads.dot_command(self._address.size)),
                "o_tags": Out(payloads.score_tags()),
            }
        )

    def elaborate(self, platform: object) -> Module:
        m = Module()
        head = self.i_head.payload
        full = Signal()  # the chain holds a row
        running, first = Signal(), Signal()
        place = Signal(self._address)
        left = Signal.like(head.tokens, reset_less=True)
        row, last_row = Signal.like(head.tokens), Signal()
        held = Signal(range(payloads.SCORE_ROWS + 1))  # rows of scores, begun ones too
        transfer, last, head_done = Signal(), Signal(), Signal()
        m.d.comb += [
            self.i.ready.eq(~full),
            transfer.eq(self.i.valid & ~full),
            self.o_shift.eq(transfer),
            self.start.eq(
                ~running
                & self.i_head.valid
                & self.keys_full
                & full
                & (held != payloads.SCORE_ROWS)
                & (self.terms_full | ~head.terms)
            ),
            last.eq(running & (left == 1)),
            head_done.eq(last & last_row),
            self.finish_keys.eq(head_done),
            self.i_head.ready.eq(head_done),
            self.o_dot.take.eq(first),
            self.o_dot.address.eq(place),
            self.o_tags.valid.eq(running),
            self.o_tags.last.eq(last),
            self.o_tags.terms.eq(head.terms),
            self.o_tags.release.eq(head_done),
        ]
        m.d.sync += [
            self.o_vector.eq(Mux(transfer, self.i.payload.value, 0)),
            first.eq(self.start),
            held.eq(held + self.start - self.release),
            last_row.eq(row + 1 == head.tokens),  # in time: every row takes two cycles at least
        ]
        with m.If(transfer & self.i.payload.last):
            m.d.sync += full.eq(1)
        with m.If(first):
            m.d.sync += full.eq(0)
        with m.If(running):
            m.d.sync += [left.eq(left - 1), place.token.eq(place.token + 1)]
        with m.If(last):
            m.d.sync += [running.eq(0), place.token.eq(0), row.eq(row + 1)]
        with m.If(head_done):
            m.d.sync += [row.eq(0), place.bank.eq(~place.bank)]
        with m.If(self.start):
            m.d.sync += [running.eq(1), left.eq(head.tokens)]
        return m
