"""Divisor of the outputs of a row: the normaliser times the output ratio, by additions only."""

from amaranth.hdl import Cat, Module, Mux, Signal
from amaranth.lib import data, stream, wiring
from amaranth.lib.wiring import In, Out

from golden.integer.config import IntegerConfig
from hw.integer import payloads


def divisor_beat(config: IntegerConfig) -> data.StructLayout:
    """A normaliser and what the context is divided by: (S * RATIO) >> bits."""
    width = config.normaliser_width + config.ratio_width - config.bits
    return data.StructLayout({"normaliser": config.normaliser_width, "divisor": width})


class Divisor(wiring.Component):
    """Adds the normaliser up once per set bit of the ratio, lowest bit first.

    Members:
        i_head: tokens and ratio of each head.
        i: normaliser of each row.
        o: its divisor.

    Timing: ratio_width + 2 cycles per row: one to load, one to hand over; the next row is added up while a
    result waits.
    """

    def __init__(self, config: IntegerConfig) -> None:
        self._config = config
        super().__init__(
            {
                "i_head": In(stream.Signature(payloads.head_part(config, "tokens", "ratio"))),
                "i": In(stream.Signature(config.normaliser_width)),
                "o": Out(stream.Signature(divisor_beat(config))),
            }
        )

    def elaborate(self, platform: object) -> Module:
        m = Module()
        config = self._config
        head = self.i_head.payload
        bits = config.ratio_width
        normaliser = Signal(config.normaliser_width, reset_less=True)
        ratio = Signal(bits, reset_less=True)
        low = Signal(bits - config.bits, reset_less=True)  # of the sum, but for what the divisor leaves out
        high = Signal(config.normaliser_width, reset_less=True)
        total = Signal(config.normaliser_width + 1)
        count = Signal(range(bits))
        row = Signal.like(head.tokens)  # rows of the head that were loaded
        m.d.comb += total.eq(high + Mux(ratio[0], normaliser, 0))
        with m.If(self.o.ready):
            m.d.sync += self.o.valid.eq(0)
        with m.FSM():
            with m.State("IDLE"):
                m.d.comb += self.i.ready.eq(self.i_head.valid)
                m.d.sync += [normaliser.eq(self.i.payload), ratio.eq(head.ratio), high.eq(0)]
                with m.If(self.i.valid & self.i_head.valid):
                    m.d.sync += row.eq(row + 1)
                    m.next = "ADD"
            with m.State("ADD"):
                m.d.sync += [
                    count.eq(count + 1),
                    ratio.eq(ratio >> 1),
                    low.eq(Cat(low[1:], total[0])),
                    high.eq(total >> 1),
                ]
                with m.If((count == 0) & (row == head.tokens)):
                    m.d.sync += row.eq(0)
                    m.d.comb += self.i_head.ready.eq(1)
                with m.If(count == bits - 1):
                    m.d.sync += count.eq(0)
                    m.next = "DONE"
            with m.State("DONE"), m.If(~self.o.valid | self.o.ready):
                m.d.sync += [
                    self.o.valid.eq(1),
                    self.o.payload.normaliser.eq(normaliser),
                    self.o.payload.divisor.eq(Cat(low, high)),
                ]
                m.next = "IDLE"
        return m
