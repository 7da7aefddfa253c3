"""Score half of a token lane: the trace-driven product of the query row with one key."""

from amaranth.hdl import Cat, Module, Mux, Signal, Value, signed
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from golden.attention.config import CoreConfig
from hw.attention import payloads


class ScoreLane(wiring.Component):
    """Accumulate-only neuron: adds +-G[phase_q + phase_k] for every spike of the query row.

    Members:
        addend, carry: from the trace lookup, zero where the key is silent.
        add, terms, take: strobes; at most one is high.
        term: bias and mask of this key for this row.
        present: the lane holds a token.
        score: the finished score, held from one `take` to the next; with `score_store = "memory"` it is there
            in the cycle of its last bit.
        search, bit: only with `score_store = "memory"`: the next bit, wanted and what it is, `alive` first,
            then the score in the order of unsigned numbers, the highest bit first.

    Timing: every input belongs to the same cycle n. An addend is in the sum from n+1 on; `take` clears it and
    makes the sum of all earlier cycles visible in `score` from n+1 on, with `score_store = "memory"` in the
    cycle of its last bit.
    """

    def __init__(self, config: CoreConfig) -> None:
        self._config = config
        turns: dict[str, wiring.Member] = {"search": In(1), "bit": Out(1)}
        super().__init__(
            {
                "addend": In(signed(config.code.trace_bits + 2)),
                "carry": In(1),
                "add": In(1),
                "terms": In(1),
                "term": In(payloads.term(config)),
                "take": In(1),
                "present": In(1),
                "score": Out(payloads.score(config)),
                **(turns if config.score_store == "memory" else {}),
            }
        )

    def elaborate(self, platform: object) -> Module:
        # Negation costs no second adder: the one that an inverted addend is owed enters as the
        # carry, below the lowest bit of the sum.
        m = Module()
        config = self._config
        total = Signal(self.score.value.shape())
        addend = Signal(self.score.value.shape())
        carry = Signal()
        masked = Signal()
        m.d.comb += [addend.eq(self.addend), carry.eq(self.carry)]
        if config.bias:
            m.d.comb += [
                addend.eq(Mux(self.terms, self.term.bias, self.addend)),
                carry.eq(self.carry & ~self.terms),
            ]
        if config.mask:
            with m.If(self.terms):
                m.d.sync += masked.eq(self.term.masked)
        alive = self.present & ~masked
        if config.score_store == "memory":
            self._turn(m, total, alive)
        with m.If(self.take):
            if config.score_store == "registers":
                m.d.sync += [self.score.value.eq(total), self.score.alive.eq(alive)]
            m.d.sync += [total.eq(0), masked.eq(0)]
        with m.Elif(self.add | self.terms if config.bias else self.add):
            m.d.sync += total.eq((Cat(1, total).as_signed() + Cat(carry, addend).as_signed())[1:])
        return m

    def _turn(self, m: Module, total: Signal, alive: Value) -> None:
        """The score turns by a bit in every cycle of its search, and is itself again behind the last: where a
        flip-flop takes the place of a LUT, to move costs less than to choose a bit."""
        width = self._config.score_width
        word = Signal(width + 1, reset_less=True)
        turned, sign = word.rotate_left(1), 1 << (width - 1)
        with m.If(self.take):
            m.d.sync += word.eq(Cat(total.as_unsigned() ^ sign, alive))
        with m.Elif(self.search):
            m.d.sync += word.eq(turned)
        m.d.comb += [
            self.bit.eq(word[-1]),
            self.score.value.eq(turned[:-1] ^ sign),
            self.score.alive.eq(turned[-1]),
        ]
