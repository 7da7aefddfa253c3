"""Words of memories from a narrow stream."""

from amaranth.hdl import Module, Signal
from amaranth.lib import data, stream, wiring
from amaranth.lib.wiring import In, Out

COUNT_BITS = 32


class BlockReader(wiring.Component):
    """Blocks of pieces become words of memories.

    A block is a header, the number of its words, and their pieces, the low bits first. Its words go to
    addresses from 0 on.

    Parameters
        header: of a block: the number of a memory, and of the last piece of its words (memory, last_piece).
        word: of a memory: its number, an address and an array of pieces (memory, address, data).

    Members:
        i: pieces; never held up.
        o: words; cannot be held up.

    Timing: one piece per cycle; a word leaves the cycle after its last piece.
    """

    def __init__(self, header: data.StructLayout, word: data.StructLayout) -> None:
        self._header = header
        super().__init__(
            {
                "i": In(stream.Signature(COUNT_BITS)),
                "o": Out(stream.Signature(word, always_ready=True)),
            }
        )

    def elaborate(self, platform: object) -> Module:
        m = Module()
        header = data.View(self._header, self.i.payload[: self._header.size])
        word = self.o.payload
        last_piece, piece = Signal.like(header.last_piece), Signal.like(header.last_piece)
        address, left = Signal.like(word.address), Signal(COUNT_BITS)
        m.d.sync += self.o.valid.eq(0)
        with m.If(self.o.valid):
            m.d.sync += address.eq(address + 1)
        m.d.comb += [word.address.eq(address), self.i.ready.eq(1)]
        with m.FSM():
            with m.State("header"), m.If(self.i.valid):
                m.d.sync += [word.memory.eq(header.memory), last_piece.eq(header.last_piece), piece.eq(0)]
                m.next = "count"
            with m.State("count"), m.If(self.i.valid):
                m.d.sync += [left.eq(self.i.payload), address.eq(0)]
                m.next = "pieces"
            with m.State("pieces"), m.If(self.i.valid):
                m.d.sync += piece.eq(piece + 1)
                with m.Switch(piece):
                    for n, part in enumerate(word.data):
                        with m.Case(n):
                            m.d.sync += part.eq(self.i.payload)
                with m.If(piece == last_piece):
                    m.d.sync += [self.o.valid.eq(1), piece.eq(0), left.eq(left - 1)]
                    with m.If(left == 1):
                        m.next = "header"
        return m
