"""What stands around parts of the link in their benches."""

from amaranth.hdl import ClockDomain, ClockSignal, Module, ResetSignal
from amaranth.lib import stream, wiring
from amaranth.lib.wiring import In, Out

from hw.link.framing import BODY_EVENT, Unstuffer
from hw.link.link import Link
from hw.link.uart import RECEIVED_BYTE


class Bodies(wiring.Component):
    """An unstuffer whose data is 0 where it means nothing: at the end of a body."""

    i: In(stream.Signature(RECEIVED_BYTE, always_ready=True))
    o: Out(stream.Signature(BODY_EVENT, always_ready=True))

    def elaborate(self, platform: object) -> Module:
        m = Module()
        m.submodules.unstuffer = unstuffer = Unstuffer()
        wiring.connect(m, wiring.flipped(self.i), unstuffer.i)
        wiring.connect(m, unstuffer.o, wiring.flipped(self.o))
        with m.If(unstuffer.o.p.end):
            m.d.comb += self.o.p.data.eq(0)
        return m


class Linked(wiring.Component):
    """A component behind a link, with the clock domain that the link leaves to its parent.

    Members: those of `hw.link.link.Link`, but for the reset, which goes to the component.
    """

    rx: In(1)
    tx: Out(1)
    open: Out(1)
    fault: Out(1)

    def __init__(self, link: Link) -> None:
        self._link = link
        super().__init__()

    def elaborate(self, platform: object) -> Module:
        m = Module()
        m.submodules.link = link = self._link
        m.domains.component = ClockDomain(local=True)
        m.d.comb += [
            ClockSignal("component").eq(ClockSignal()),
            ResetSignal("component").eq(link.restart),
            link.rx.eq(self.rx),
            self.tx.eq(link.tx),
            self.open.eq(link.open),
            self.fault.eq(link.fault),
        ]
        return m
