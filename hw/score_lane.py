"""Score half of a token lane: the trace-driven product of the query row with one key."""

from amaranth.hdl import Cat, Module, Mux, Signal
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from golden.config import CoreConfig
from hw import payloads
from hw.trace import TraceDecay


class ScoreLane(wiring.Component):
    """Accumulate-only neuron: adds +-G[phase_q + phase_k] for every spike of the query row.

    Members:
        key: spike of this lane's token at the feature of the query spike.
        negative, phase: the query spike.
        add, terms, take: strobes; at most one is high.
        term: bias and mask of this key for this row.
        present: the lane holds a token.
        score: the finished score, held from one `take` to the next.

    Timing: every input belongs to the same cycle n (terms are read in n+1). A spike is in the sum
    from n+2 on; `take` makes the sum of all earlier cycles visible in `score` from n+2 on and
    clears it. One spike per cycle.
    """

    def __init__(self, config: CoreConfig) -> None:
        self._config = config
        super().__init__(
            {
                "key": In(payloads.spike(config.code)),
                "negative": In(1),
                "phase": In(payloads.phase_width(config.code)),
                "add": In(1),
                "terms": In(1),
                "term": In(payloads.term(config)),
                "take": In(1),
                "present": In(1),
                "score": Out(payloads.score(config)),
            }
        )

    def elaborate(self, platform: object) -> Module:
        # Negation costs no second adder: the table entry is inverted and the one that is owed
        # enters as the carry, below the lowest bit of the sum.
        m = Module()
        config = self._config
        m.submodules.decay = decay = TraceDecay(config.code)
        m.d.comb += decay.steps.eq(self.phase + self.key.phase)

        product = Signal.like(decay.trace, reset_less=True)
        negative = Signal(reset_less=True)
        add, terms, take = Signal(), Signal(), Signal()
        present = Signal(reset_less=True)
        m.d.sync += [
            negative.eq((self.negative ^ self.key.negative) & self.key.active & self.add),
            add.eq(self.add),
            terms.eq(self.terms),
            take.eq(self.take),
            present.eq(self.present),
        ]
        with m.If(self.key.active):
            m.d.sync += product.eq(decay.trace)
        with m.Else():
            m.d.sync += product.eq(0)

        total = Signal(self.score.value.shape())
        addend = Signal(self.score.value.shape())
        signed_product = Cat(product ^ negative.replicate(len(product)), negative).as_signed()
        if config.bias:
            m.d.comb += addend.eq(Mux(terms, self.term.bias, signed_product))
        else:
            m.d.comb += addend.eq(signed_product)
        masked = Signal()
        with m.If(take):
            m.d.sync += [
                self.score.value.eq(total),
                self.score.alive.eq(present & ~masked),
                total.eq(0),
                masked.eq(0),
            ]
        with m.Elif(add | terms):
            m.d.sync += total.eq((Cat(1, total).as_signed() + Cat(negative, addend).as_signed())[1:])
        if config.mask:
            with m.If(terms):
                m.d.sync += masked.eq(self.term.masked)
        return m
