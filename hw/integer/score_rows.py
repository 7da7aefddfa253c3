"""Finishes scores as they come from their sums, holds rows of them, and finds the largest of each."""

from amaranth.hdl import Module, Mux, Signal
from amaranth.lib import wiring
from amaranth.lib.memory import Memory
from amaranth.lib.wiring import In, Out

from golden.widths import index_width
from hw.integer import payloads
from hw.integer.product import delayed
from hw.integer.vector_config import VectorConfig
from hw.parts.granted_queue import GrantedQueue
from hw.parts.memory import NO_COLLISION


class ScoreRows(wiring.Component):
    """Scores, their keys one per cycle.

    Members:
        sum, tags: from the vector unit.
        token: key of the sum.
        norm: sum of the squares of that key, one cycle after `token`; with `IntegerConfig.squares`.
        term: bias and mask of that key, likewise; with `IntegerConfig.terms`.
        full: a complete row is held.
        read: token of the oldest row.
        score: its score, two cycles later.
        largest: of the oldest row.
        release: drop the oldest row.

    Timing: one score per cycle. A row is there `latency` cycles after its last sum.
    """

    def __init__(self, config: VectorConfig, sums: int) -> None:
        self._config = config
        token = index_width(config.tokens)
        self._score = payloads.held_score(config)
        members = {
            "sum": In(sums),
            "tags": In(payloads.score_tags()),
            "token": Out(token),
            "full": Out(1),
            "read": In(token),
            "score": Out(self._score),
            "largest": Out(self._score["value"].shape),
            "release": In(1),
        }
        if config.squares:
            members["norm"] = In(config.product_limit.bit_length())
        if config.terms:
            members["term"] = In(payloads.term(config))
        super().__init__(members)

    @staticmethod
    def latency(config: VectorConfig) -> int:
        return 3 + config.squares + config.bias

    def elaborate(self, platform: object) -> Module:
        m = Module()
        config = self._config
        with m.If(self.tags.valid):
            m.d.sync += self.token.eq(Mux(self.tags.last, 0, self.token + 1))

        score = Signal(self._score)
        value = delayed(m, self.sum, 1, "sum")
        stages = 1
        if config.squares:
            # twice the product, and the squares of the query, which all keys of the row have in common
            half = Signal(self._score["value"].shape, reset_less=True)
            m.d.sync += half.eq((value - self.norm) >> 1)
            value, stages = half, 2
        masked: Signal | int = 0
        if config.mask:
            silent = delayed(m, self.tags.terms, 1, "with_mask") & self.term.masked
            masked = delayed(m, silent, stages - 1 + config.bias, "masked")
        if config.bias:
            bias = Mux(delayed(m, self.tags.terms, 1, "with_bias"), self.term.bias, 0)
            total = Signal(self._score["value"].shape, reset_less=True)
            m.d.sync += total.eq(value + delayed(m, bias, stages - 1, "bias"))
            value, stages = total, stages + 1
        valid = delayed(m, self.tags.valid, stages, "valid", reset=True)
        last = delayed(m, self.tags.last, stages, "last")
        m.d.comb += [score.value.eq(value), score.alive.eq(~masked if config.mask else 1)]

        address = payloads.row_address(config)
        m.submodules.memory = memory = Memory(
            shape=self._score, depth=1 << address.size, init=[], attrs=NO_COLLISION
        )
        write, read = memory.write_port(), memory.read_port()
        score_read = Signal(self._score, reset_less=True)
        written, wanted = Signal(address), Signal(address)
        bank = Signal(range(payloads.ROW_BANKS))
        m.d.comb += [
            write.en.eq(valid),
            write.addr.eq(written),
            write.data.eq(score),
            wanted.token.eq(self.read),
            wanted.bank.eq(bank),
            read.addr.eq(wanted),
            self.score.eq(score_read),
        ]
        m.d.sync += score_read.eq(read.data)
        best = Signal(self._score["value"].shape, reset_less=True)
        some, complete = Signal(), Signal()
        with m.If(valid):
            m.d.sync += [written.token.eq(written.token + 1), some.eq(some | score.alive)]
            with m.If(score.alive & (~some | (score.value > best))):
                m.d.sync += best.eq(score.value)
        with m.If(valid & last):
            m.d.sync += [written.token.eq(0), written.bank.eq(written.bank + 1), some.eq(0)]
        m.submodules.queue = queue = GrantedQueue(len(best), payloads.SCORE_ROWS)
        m.d.sync += [complete.eq(valid & last), bank.eq(bank + self.release)]
        m.d.comb += [
            queue.w_data.eq(best),
            queue.w_en.eq(complete),
            queue.r_en.eq(self.release),
            self.full.eq(queue.r_rdy),
            self.largest.eq(queue.r_data),
        ]
        return m
