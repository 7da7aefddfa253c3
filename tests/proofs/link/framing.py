"""Proofs of the byte stuffing."""

from amaranth.hdl import Assert, Assume, Cat, Cover, Mux, Signal

from hw.link import framing
from tests.proofs.following import passes_in_order, stays_offered
from tests.proofs.property import Fault, Property


class UnstuffingUndoesStuffing(Property):
    """What is stuffed, sent and unstuffed comes out as it went in: every byte of a body, whatever it is, and
    every end of a body that is not empty, in order, none lost, repeated, changed or spoilt.

    Assumes: the line loses and changes nothing, and takes bytes at any pace."""

    component = "link/framing"
    faults = (
        Fault(module=framing, old="| (self.i.p.data == ESCAPE))", new=")"),
        Fault(module=framing, old="self.o.valid.eq(escape)", new="self.o.valid.eq(0)"),
        Fault(module=framing, old="empty.eq(0), escaped.eq(0)", new="empty.eq(0)"),
    )

    def build(self) -> None:
        m = self.m
        stuffer = self.unit("stuffer", framing.Stuffer())
        unstuffer = self.unit("unstuffer", framing.Unstuffer())
        sent = stuffer.o.valid & stuffer.o.ready
        m.d.comb += [
            unstuffer.i.payload.data.eq(stuffer.o.payload),
            unstuffer.i.payload.error.eq(0),
            unstuffer.i.valid.eq(sent),
        ]
        taken, flag = stuffer.i.valid & stuffer.i.ready, stuffer.i.payload.flag
        m.d.comb += Assume(~flag | (stuffer.i.payload.data == framing.FLAG))
        body = Signal()  # bytes of a body were taken since the last flag
        with m.If(taken):
            m.d.sync += body.eq(~flag)
        event = unstuffer.o
        passes_in_order(
            self,
            push=taken & (~flag | body),
            item=Cat(Mux(flag, 0, stuffer.i.payload.data), flag),
            pop=event.valid,
            out=Cat(Mux(event.payload.end, 0, event.payload.data), event.payload.end),
            capacity=3,
        )
        m.d.comb += [
            Assert(~event.valid | ~event.payload.bad),
            Cover(event.valid & ~event.payload.end & (event.payload.data == framing.FLAG)),
            Cover(event.valid & event.payload.end),
        ]


class LineBytesStayOffered(Property):
    """A byte for the line stays the same until it is taken.

    Assumes: nothing."""

    component = "link/framing"
    faults = (Fault(module=framing, old="self.i.ready.eq(~self.o.valid)", new="self.i.ready.eq(1)"),)

    def build(self) -> None:
        stays_offered(self, self.unit("stuffer", framing.Stuffer()).o)
