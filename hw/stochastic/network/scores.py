"""Class scores leave the lanes one after the other."""

from amaranth.hdl import Module, Signal
from amaranth.lib import stream, wiring
from amaranth.lib.wiring import In, Out

from golden.stochastic.network_config import StochasticNetworkConfig
from golden.widths import bits_for, index_width
from hw.stochastic.network import payloads


class ScoreReader(wiring.Component):
    """Sends the sums of the first lanes.

    Members:
        sums: of the lanes, which stay.
        start: send `outputs` of them; done: the last one leaves; final: it is the last of the inference.
        o: class scores.

    Timing: a score every two cycles, the first one two cycles after `start`.
    """

    def __init__(self, config: StochasticNetworkConfig) -> None:
        self._config = config
        super().__init__(
            {
                "sums": In(payloads.sums(config)),
                "start": In(1),
                "outputs": In(bits_for(config.lanes)),
                "final": In(1),
                "done": Out(1),
                "o": Out(stream.Signature(payloads.score_beat(config))),
            }
        )

    def elaborate(self, platform: object) -> Module:
        m = Module()
        lane, last = Signal(index_width(self._config.lanes)), Signal()
        m.d.comb += [last.eq(lane == self.outputs - 1), self.o.payload.last.eq(last & self.final)]
        with m.FSM():
            with m.State("IDLE"), m.If(self.start):
                m.d.sync += lane.eq(0)
                m.next = "LOOK"
            with m.State("LOOK"):
                m.d.sync += self.o.payload.value.eq(self.sums[lane])
                m.next = "SEND"
            with m.State("SEND"):
                m.d.comb += self.o.valid.eq(1)
                with m.If(self.o.ready):
                    m.d.sync += lane.eq(lane + 1)
                    m.d.comb += self.done.eq(last)
                    m.next = "LOOK"
                    with m.If(last):
                        m.next = "IDLE"
        return m
