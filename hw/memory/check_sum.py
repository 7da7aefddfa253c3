"""Check sum of words, a bit per cycle."""

from amaranth.hdl import Module, Mux, Signal
from amaranth.lib import stream, wiring
from amaranth.lib.wiring import In, Out

from golden.memory import WORD_BITS
from hw.memory.payloads import SUM_BITS

# CRC-32 as of zlib: bits enter the lowest first
POLYNOMIAL = 0xEDB88320


class CheckSum(wiring.Component):
    """CRC-32 of 16-bit words, the low byte of each first.

    Members:
        i: words.
        clear: begin anew.
        sum: of the words that were taken, once `busy` is low.

    Timing: a word in 17 cycles.
    """

    def __init__(self) -> None:
        super().__init__(
            {"i": In(stream.Signature(WORD_BITS)), "clear": In(1), "sum": Out(SUM_BITS), "busy": Out(1)}
        )

    def elaborate(self, platform: object) -> Module:
        m = Module()
        word, left = Signal(WORD_BITS), Signal(range(WORD_BITS + 1))
        crc = Signal(SUM_BITS, init=-1)
        m.d.comb += [self.busy.eq(left != 0), self.i.ready.eq(~self.busy), self.sum.eq(~crc)]
        with m.If(self.busy):
            m.d.sync += [
                left.eq(left - 1),
                word.eq(word >> 1),
                crc.eq((crc >> 1) ^ Mux(crc[0] ^ word[0], POLYNOMIAL, 0)),
            ]
        with m.Elif(self.i.valid):
            m.d.sync += [word.eq(self.i.payload), left.eq(WORD_BITS)]
        with m.If(self.clear):
            m.d.sync += [crc.eq(-1), left.eq(0)]
        return m
