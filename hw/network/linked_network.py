"""Network core behind a narrow load stream, as the link of a board wants it."""

from typing import Any

from amaranth.hdl import Module, Mux, Signal
from amaranth.lib import data, stream, wiring
from amaranth.lib.wiring import In, Out, connect, flipped

from golden.errors import InputError
from golden.network.config import NetworkConfig
from hw.network import payloads
from hw.network.core import NetworkCore


class LoadReader(wiring.Component):
    """Blocks of 32-bit pieces become words of the memories.

    A block is a header (`payloads.load_header`), the number of its words, and their pieces, the low
    bits first. Its words go to addresses from 0 on. Of streamed weights the block counts pieces, each of as
    many words as it holds.

    Members:
        i: pieces; never held up, but for the words of streamed weights.
        o: words; cannot be held up.
        o_store: words of streamed weights, in order, for the memory behind their stream; only with those.

    Timing: one piece per cycle; a word leaves the cycle after its last piece, of streamed weights with it.

    Raises:
        InputError: streamed weights whose words are no part of a piece.
    """

    def __init__(self, config: NetworkConfig) -> None:
        self._config = config
        members: dict[str, Any] = {
            "i": In(stream.Signature(payloads.PIECE_BITS)),
            "o": Out(stream.Signature(payloads.load(config), always_ready=True)),
        }
        super().__init__(members | stored(config))

    def elaborate(self, platform: object) -> Module:
        m = Module()
        layout = payloads.load_header(self._config)
        header = data.View(layout, self.i.payload[: layout.size])
        word = self.o.payload
        last_piece, piece = Signal.like(header.last_piece), Signal.like(header.last_piece)
        address, left = Signal(payloads.PIECE_BITS), Signal(payloads.PIECE_BITS)
        m.d.sync += self.o.valid.eq(0)
        with m.If(self.o.valid):
            m.d.sync += address.eq(address + 1)
        m.d.comb += [word.address.eq(address), self.i.ready.eq(1)]
        with m.FSM():
            with m.State("header"), m.If(self.i.valid):
                m.d.sync += [
                    word.memory.eq(header.memory),
                    word.cluster.eq(header.cluster),
                    last_piece.eq(header.last_piece),
                    piece.eq(0),
                ]
                m.next = "count"
            with m.State("count"), m.If(self.i.valid):
                m.d.sync += [left.eq(self.i.payload), address.eq(0)]
                m.next = "pieces"
                if self._config.weight_stream:
                    with m.If(word.memory == payloads.store(self._config)):
                        m.next = "store"
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
            if self._config.weight_stream:
                self._store(m, left)
        return m

    def _store(self, m: Module, left: Signal) -> None:
        """State in which a piece waits until all its words have left."""
        wide = self._config.weight_stream
        words = payloads.PIECE_BITS // wide
        word = Signal(range(words), name="word_of_piece")
        with m.State("store"):
            m.d.comb += [
                self.o_store.valid.eq(self.i.valid),
                self.o_store.payload.eq(self.i.payload.word_select(word, wide)),
                self.i.ready.eq(self.o_store.ready & (word == words - 1)),
            ]
            with m.If(self.i.valid & self.o_store.ready):
                m.d.sync += word.eq(Mux(word == words - 1, 0, word + 1))
            with m.If(self.i.valid & self.i.ready):
                m.d.sync += left.eq(left - 1)
                with m.If(left == 1):
                    m.next = "header"


def stored(config: NetworkConfig) -> dict[str, Any]:
    """Where streamed weights go on their way to their memory."""
    wide = config.weight_stream
    if wide and payloads.PIECE_BITS % wide:
        raise InputError(
            f"NetworkConfig.weight_stream must divide {payloads.PIECE_BITS} behind a link, not {wide}"
        )
    return {"o_store": Out(stream.Signature(wide))} if wide else {}


class LinkedNetwork(wiring.Component):
    """Network core whose memories are loaded through a stream of 32 bits.

    Members:
        i_load: see `LoadReader`.
        o_store: see `LoadReader`.
        others: as `NetworkCore`.
    """

    def __init__(self, config: NetworkConfig) -> None:
        self._config = config
        self._core = NetworkCore(config)
        members = dict(self._core.signature.members) | stored(config)
        super().__init__(members | {"i_load": In(stream.Signature(payloads.PIECE_BITS))})

    def elaborate(self, platform: object) -> Module:
        m = Module()
        m.submodules.reader = reader = LoadReader(self._config)
        m.submodules.core = core = self._core
        connect(m, flipped(self.i_load), reader.i)
        connect(m, reader.o, core.i_load)
        connect(m, flipped(self.i_image), core.i_image)
        connect(m, core.o_score, flipped(self.o_score))
        if self._config.weight_stream:
            connect(m, reader.o_store, flipped(self.o_store))
            connect(m, flipped(self.i_weights), core.i_weights)
            m.d.comb += self.running.eq(core.running)
        return m
