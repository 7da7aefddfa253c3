"""Bernoulli encoders: rates become spikes by comparison with random numbers."""

from amaranth.hdl import Module, Signal, Value
from amaranth.lib import stream, wiring
from amaranth.lib.wiring import In, Out

from golden.stochastic.config import StochasticConfig
from hw.stochastic.generator import GeneratorBank
from hw.stochastic.payloads import column_layout, rates_layout


class BernoulliEncoder(wiring.Component):
    """Spikes of a feature from its rates: spike where the draw is below the rate.

    One feature per cycle, one cycle from input to output. Every feature is an event of the query
    encoders, features of row group 0 are events of the key and value encoders too.

    Parameters
        config: sizes, rate_bits and plan.

    Members
        i: rates, in the order time step, row group, feature.
        o: spikes.
    """

    def __init__(self, config: StochasticConfig) -> None:
        self.config = config
        super().__init__(
            {
                "i": In(stream.Signature(rates_layout(config))),
                "o": Out(stream.Signature(column_layout(config))),
            }
        )

    def elaborate(self, platform: object) -> Module:
        m = Module()
        config = self.config
        transfer = Signal()
        m.d.comb += self.i.ready.eq(~self.o.valid | self.o.ready)
        m.d.comb += transfer.eq(self.i.valid & self.i.ready)

        column = Signal(range(config.head_dim))
        group = Signal(range(config.groups))
        with m.If(transfer):
            m.d.sync += column.eq(column + 1)
            with m.If(column == config.head_dim - 1):
                m.d.sync += column.eq(0)
                m.d.sync += group.eq(group + 1)
                with m.If(group == config.groups - 1):
                    m.d.sync += group.eq(0)

        def encode(name: str, lanes: int, event: Value) -> None:
            bank = m.submodules[name] = GeneratorBank(config.bank(name), 1 << config.rate_bits)
            m.d.comb += bank.advance.eq(event)
            shared = len(bank.draws) == 1
            with m.If(transfer):
                for lane in range(lanes):
                    draw = bank.draws[0 if shared else lane]
                    m.d.sync += self.o.p[name][lane].eq(draw < self.i.p[name][lane])

        encode("q", config.rows, transfer)
        encode("k", config.tokens, transfer & (group == 0))
        encode("v", config.tokens, transfer & (group == 0))
        with m.If(self.i.ready):
            m.d.sync += self.o.valid.eq(self.i.valid)
        return m
