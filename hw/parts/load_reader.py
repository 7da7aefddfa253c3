"""A narrow load stream for the memories of a core, as the link of a board wants it."""

from typing import Any

from amaranth.hdl import Module, Mux, Signal
from amaranth.lib import data, stream, wiring
from amaranth.lib.wiring import In, Out

from golden.errors import InputError
from golden.widths import index_width

# Bits of a piece
PIECE_BITS = 32


class LoadReader(wiring.Component):
    """Blocks of 32-bit pieces become words of the memories.

    A block is a header, the number of its words, and their pieces, the low bits first. Its words go to
    addresses from 0 on. A piece of streamed weights holds several words; only the last may have fewer.
    They come after another block, with which the core stops to run.

    Args:
        header: of a block; `last_piece` numbers the last piece of its words, the other fields are a word's.
        word: what leaves.
        store, wide: number of the memory of streamed weights, and bits of its words; 0 where there are none.

    Members:
        i: pieces; never held up, but for the words of streamed weights.
        o: words; cannot be held up.
        o_store: words of streamed weights, in order, for the memory behind their stream; only with those.

    Timing: one piece per cycle; a word leaves the cycle after its last piece, of streamed weights with it.

    Raises:
        InputError: streamed weights whose words are no part of a piece.
    """

    def __init__(
        self, header: data.StructLayout, word: data.StructLayout, store: int = 0, wide: int = 0
    ) -> None:
        self._header, self._store, self._wide = header, store, wide
        members: dict[str, Any] = {
            "i": In(stream.Signature(PIECE_BITS)),
            "o": Out(stream.Signature(word, always_ready=True)),
        }
        super().__init__(members | stored(wide))

    def elaborate(self, platform: object) -> Module:
        m = Module()
        layout = self._header
        header = data.View(layout, self.i.payload[: layout.size])
        # Nothing is in it before a block has come
        word = Signal(self.o.payload.shape(), reset_less=True)
        pieces = index_width(len(word.data))
        last_piece, piece = Signal(pieces), Signal(pieces)
        # no memory has more words than addresses, but what is behind the stream of weights
        address = Signal(len(word.address))
        left = Signal(PIECE_BITS if self._wide else len(address) + 1)
        m.d.sync += self.o.valid.eq(0)
        with m.If(self.o.valid):
            m.d.sync += address.eq(address + 1)
        m.d.comb += [
            self.i.ready.eq(1),
            *[self.o.payload[name].eq(word[name]) for name in layout.members if name != "last_piece"],
            self.o.payload.data.eq(word.data),
            self.o.payload.address.eq(address),
        ]
        # a header, too: the word's first piece follows it. The last one leaves at once
        *held, last = word.data
        with m.If(self.i.valid), m.Switch(piece):
            for n, part in enumerate(held):
                with m.Case(n):
                    m.d.sync += part.eq(self.i.payload)
        m.d.sync += last.eq(self.i.payload)
        with m.FSM():
            with m.State("header"), m.If(self.i.valid):
                m.d.sync += [
                    *[word[name].eq(header[name]) for name in layout.members if name != "last_piece"],
                    last_piece.eq(header.last_piece),
                    piece.eq(0),
                ]
                m.next = "count"
            with m.State("count"), m.If(self.i.valid):
                m.d.sync += [left.eq(self.i.payload), address.eq(0)]
                m.next = "pieces"
                if self._wide:
                    with m.If(word.memory == self._store):
                        m.next = "store"
            with m.State("pieces"), m.If(self.i.valid):
                m.d.sync += piece.eq(piece + 1)
                with m.If(piece == last_piece):
                    m.d.sync += [self.o.valid.eq(1), piece.eq(0), left.eq(left - 1)]
                    with m.If(left == 1):
                        m.next = "header"
            if self._wide:
                self._send_on(m, left)
        return m

    def _send_on(self, m: Module, left: Signal) -> None:
        """State in which a piece waits until all its words have left."""
        wide = self._wide
        words = PIECE_BITS // wide
        word = Signal(range(words), name="word_of_piece")
        with m.State("store"):
            used_up = (word == words - 1) | (left == 1)
            m.d.comb += [
                self.o_store.valid.eq(self.i.valid),
                self.o_store.payload.eq(self.i.payload.word_select(word, wide)),
                self.i.ready.eq(self.o_store.ready & used_up),
            ]
            with m.If(self.i.valid & self.o_store.ready):
                m.d.sync += [word.eq(Mux(used_up, 0, word + 1)), left.eq(left - 1)]
                with m.If(left == 1):
                    m.next = "header"


def stored(wide: int) -> dict[str, Any]:
    """Where streamed weights go on their way to their memory."""
    if wide and PIECE_BITS % wide:
        raise InputError(f"NetworkConfig.weight_stream must divide {PIECE_BITS} behind a link, not {wide}")
    return {"o_store": Out(stream.Signature(wide))} if wide else {}
