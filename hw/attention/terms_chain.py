"""Chain that brings bias and mask entries to the lanes of a cluster."""

from amaranth.hdl import Cat, Module, Signal
from amaranth.lib import data, wiring
from amaranth.lib.wiring import In, Out

from golden.attention.config import CoreConfig
from hw.attention import payloads


class TermsChain(wiring.Component):
    """Shift register of terms, `terms_per_beat` lanes at a time towards higher lanes.

    Members:
        shift: take the terms at `i`.
        i: terms that enter the lowest lanes.
        o: terms that leave for the next cluster, whose shifts come one cycle later.
        terms: one per lane.

    Timing: a shift in cycle n is seen in n+1.
    """

    def __init__(self, config: CoreConfig) -> None:
        self._config = config
        super().__init__(
            {
                "shift": In(1),
                "i": In(payloads.terms(config)),
                "o": Out(payloads.terms(config)),
                "terms": Out(data.ArrayLayout(payloads.term(config), config.cluster)),
            }
        )

    def elaborate(self, platform: object) -> Module:
        m = Module()
        chain = Signal(self.terms.shape(), reset_less=True)
        leaving = Signal(self.o.shape(), reset_less=True)
        with m.If(self.shift):
            m.d.sync += Cat(chain, leaving).eq(Cat(self.i, chain))
        m.d.comb += [self.terms.eq(chain), self.o.eq(leaving)]
        return m
