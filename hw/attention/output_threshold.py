"""Output threshold: the normaliser of a row times the output ratio, by additions only."""

from amaranth.hdl import Cat, Module, Mux, Signal, signed
from amaranth.lib import data, stream, wiring
from amaranth.lib.wiring import In, Out
from amaranth.utils import bits_for

from golden.attention.config import CoreConfig
from golden.attention.normaliser import RATIO_FRACTION_BITS
from hw.attention import payloads


def threshold_beat(config: CoreConfig) -> data.StructLayout:
    """(S * RATIO[r] - 1) >> 16 for every residue r, and the features of the row's head.

    One less, because |U| << n >= X is the same as |U| > (X - 1) >> n; of fractions no n leaves anything."""
    width = config.normaliser_width + config.ratio_width - RATIO_FRACTION_BITS
    return data.StructLayout(
        {
            "level": data.ArrayLayout(width, config.code.log2_base.denominator),
            "features": bits_for(config.head_dim),
        }
    )


class OutputThreshold(wiring.Component):
    """Integrates the normaliser once per set bit of the ratio, lowest bit first.

    Members:
        i_head: tokens, features and ratio of each head.
        i: normaliser of each row.
        o: threshold levels of each row.

    Timing: `latency` cycles per row: one to load, ratio_width, one to hand over; the next row is
    integrated while a result waits.
    """

    def __init__(self, config: CoreConfig) -> None:
        self._config = config
        super().__init__(
            {
                "i_head": In(stream.Signature(payloads.head_part(config, "tokens", "features", "ratio"))),
                "i": In(stream.Signature(config.normaliser_width)),
                "o": Out(stream.Signature(threshold_beat(config))),
            }
        )

    @staticmethod
    def latency(config: CoreConfig) -> int:
        return config.ratio_width + 2

    def elaborate(self, platform: object) -> Module:
        m = Module()
        config = self._config
        head = self.i_head.payload
        bits = config.ratio_width
        normaliser = Signal(config.normaliser_width, reset_less=True)
        features = Signal.like(head.features, reset_less=True)
        count = Signal(range(bits))
        row, last_row = Signal(range(config.tokens)), Signal()  # rows of the head that are done
        m.d.sync += last_row.eq(row + 1 == head.tokens)
        idle, load, add, hand_over = Signal(), Signal(), Signal(), Signal()
        with m.FSM():
            with m.State("IDLE"):
                m.d.comb += [idle.eq(1), load.eq(self.i.valid & self.i_head.valid), self.i.ready.eq(load)]
                with m.If(load):
                    m.next = "ADD"
            with m.State("ADD"):
                m.d.comb += add.eq(1)
                m.d.sync += count.eq(count + 1)
                with m.If(count == 0):
                    m.d.sync += row.eq(Mux(last_row, 0, row + 1))
                    m.d.comb += self.i_head.ready.eq(last_row)
                with m.If(count == bits - 1):
                    m.d.sync += count.eq(0)
                    m.next = "DONE"
            with m.State("DONE"), m.If(~self.o.valid | self.o.ready):
                m.d.comb += hand_over.eq(1)
                m.next = "IDLE"

        # until there is a row to load whatever is offered is taken in: so many registers do not wait for that
        with m.If(idle):
            m.d.sync += [normaliser.eq(self.i.payload), features.eq(head.features)]
        with m.If(hand_over):
            m.d.sync += [self.o.valid.eq(1), self.o.payload.features.eq(features)]
        with m.Elif(self.o.ready):
            m.d.sync += self.o.valid.eq(0)

        for n in range(config.code.log2_base.denominator):
            ratio = Signal(bits, name=f"ratio_{n}", reset_less=True)
            high = Signal(signed(config.normaliser_width + 1), name=f"high_{n}", reset_less=True)
            low = Signal(bits - RATIO_FRACTION_BITS, name=f"low_{n}", reset_less=True)
            total = Signal(signed(config.normaliser_width + 2), name=f"total_{n}")
            m.d.comb += total.eq(high + Mux(ratio[0], normaliser, 0))
            with m.If(idle):
                m.d.sync += [ratio.eq(head.ratio[n]), high.eq(-1)]
            with m.Elif(add):
                m.d.sync += [ratio.eq(ratio >> 1), low.eq(Cat(low[1:], total[0])), high.eq(total >> 1)]
            with m.If(hand_over):
                m.d.sync += self.o.payload.level[n].eq(Cat(low, high))
        return m
