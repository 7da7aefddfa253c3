"""Byte stuffing: frames as a stream of bytes and ends, and back to bytes of the line (RFC 1662)."""

from amaranth.hdl import Module, Mux, Signal
from amaranth.lib import data, stream, wiring
from amaranth.lib.wiring import In, Out

from hw.link.protocol import ESCAPE, ESCAPE_XOR, FLAG
from hw.link.uart import RECEIVED_BYTE

# A byte of a frame's body, or (`end`) its end; `bad` at the end means that the body is spoilt
BODY_EVENT = data.StructLayout({"data": 8, "end": 1, "bad": 1})
# A byte to send; a flag goes out as it is, anything else is stuffed
LINE_BYTE = data.StructLayout({"data": 8, "flag": 1})


class Unstuffer(wiring.Component):
    """Received bytes to bodies of frames.

    One cycle from input to output, one byte per cycle. Empty bodies (two flags in a row) leave no
    event. A body is spoilt by a byte without stop bit or by an escape with no byte to escape.

    Members:
        i: received bytes, never stalled.
        o: events, never stalled.
    """

    def __init__(self) -> None:
        super().__init__(
            {
                "i": In(stream.Signature(RECEIVED_BYTE, always_ready=True)),
                "o": Out(stream.Signature(BODY_EVENT, always_ready=True)),
            }
        )

    def elaborate(self, platform: object) -> Module:
        m = Module()
        escaped = Signal()
        spoilt = Signal()
        empty = Signal(init=1)
        m.d.sync += self.o.valid.eq(0)
        with m.If(self.i.valid):
            m.d.sync += [empty.eq(0), escaped.eq(0)]
            with m.If(self.i.p.error):
                m.d.sync += spoilt.eq(1)
            with m.Elif(self.i.p.data == FLAG):
                m.d.sync += [
                    self.o.valid.eq(~empty),
                    self.o.p.end.eq(1),
                    self.o.p.bad.eq(spoilt | escaped),
                    spoilt.eq(0),
                    empty.eq(1),
                ]
            with m.Elif(self.i.p.data == ESCAPE):
                m.d.sync += [escaped.eq(1), spoilt.eq(spoilt | escaped)]
            with m.Else():
                m.d.sync += [
                    self.o.valid.eq(1),
                    self.o.p.end.eq(0),
                    self.o.p.bad.eq(0),
                    self.o.p.data.eq(self.i.p.data ^ escaped.replicate(8) & ESCAPE_XOR),
                ]
        return m


class Stuffer(wiring.Component):
    """Bytes and flags to bytes of the line; a byte is held for a cycle before it goes out, so one in
    two cycles, in three where an escape is needed.

    Members:
        i: bytes and flags.
        o: bytes of the line.
    """

    def __init__(self) -> None:
        super().__init__({"i": In(stream.Signature(LINE_BYTE)), "o": Out(stream.Signature(8))})

    def elaborate(self, platform: object) -> Module:
        # The register keeps the choice of a byte and its escaping apart: each is a long path
        m = Module()
        held = Signal(8)
        escape = Signal()
        m.d.comb += [
            self.i.ready.eq(~self.o.valid),
            self.o.payload.eq(Mux(escape, ESCAPE, held)),
        ]
        with m.If(self.i.valid & self.i.ready):
            special = ~self.i.p.flag & ((self.i.p.data == FLAG) | (self.i.p.data == ESCAPE))
            m.d.sync += [
                self.o.valid.eq(1),
                escape.eq(special),
                held.eq(self.i.p.data ^ special.replicate(8) & ESCAPE_XOR),
            ]
        with m.Elif(self.o.ready):
            m.d.sync += [escape.eq(0), self.o.valid.eq(escape)]
        return m
