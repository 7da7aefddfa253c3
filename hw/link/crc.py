"""CRC-32 of a stream of bytes, one bit per cycle: bytes of a serial line leave time for it."""

from amaranth.hdl import Cat, Module, Mux, Signal
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

WIDTH = 32
# Of the reflected algorithm, as in zlib
POLYNOMIAL = 0xEDB88320
ONES = (1 << WIDTH) - 1
# What is left in the register after data and its check sum, least significant byte first
RESIDUE = 0xDEBB20E3


class SerialCrc(wiring.Component):
    """CRC-32 (ISO-HDLC, that of zlib), eight cycles per byte.

    Members:
        start: begin anew; not while busy.
        data, valid: a byte; not while busy.
        busy: the last byte is not worked in yet.
        crc: check sum of the bytes so far.
        match: the last four bytes were the check sum of those before them.
    """

    def __init__(self) -> None:
        super().__init__(
            {
                "start": In(1),
                "data": In(8),
                "valid": In(1),
                "busy": Out(1),
                "crc": Out(WIDTH),
                "match": Out(1),
            }
        )

    def elaborate(self, platform: object) -> Module:
        m = Module()
        register = Signal(WIDTH, init=ONES)
        bits = Signal(8)
        left = Signal(range(9))
        m.d.comb += [
            self.busy.eq(left != 0),
            self.crc.eq(~register),
            self.match.eq(register == RESIDUE),
        ]
        with m.If(self.start):
            m.d.sync += register.eq(ONES)
        with m.Elif(self.busy):
            feedback = register[0] ^ bits[0]
            m.d.sync += [
                register.eq((register >> 1) ^ Mux(feedback, POLYNOMIAL, 0)),
                bits.eq(Cat(bits[1:], 0)),
                left.eq(left - 1),
            ]
        with m.If(self.valid):
            m.d.sync += [bits.eq(self.data), left.eq(8)]
        return m
