"""Network core behind a narrow load stream, as the link of a board wants it."""

from amaranth.hdl import Module, Signal
from amaranth.lib import data, stream, wiring
from amaranth.lib.wiring import In, Out, connect, flipped

from golden.network.config import NetworkConfig
from hw.network import payloads
from hw.network.core import NetworkCore


class LoadReader(wiring.Component):
    """Blocks of 32-bit pieces become words of the memories.

    A block is a header (`payloads.load_header`), the number of its words, and their pieces, the low
    bits first. Its words go to addresses from 0 on.

    Members:
        i: pieces; never held up.
        o: words; cannot be held up.

    Timing: one piece per cycle; a word leaves the cycle after its last piece.
    """

    def __init__(self, config: NetworkConfig) -> None:
        self._config = config
        super().__init__(
            {
                "i": In(stream.Signature(payloads.PIECE_BITS)),
                "o": Out(stream.Signature(payloads.load(config), always_ready=True)),
            }
        )

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


class LinkedNetwork(wiring.Component):
    """Network core whose memories are loaded through a stream of 32 bits.

    Members:
        i_load: see `LoadReader`.
        i_image, o_score: as `NetworkCore`.
    """

    def __init__(self, config: NetworkConfig) -> None:
        self._config = config
        super().__init__(
            {
                "i_load": In(stream.Signature(payloads.PIECE_BITS)),
                "i_image": In(stream.Signature(payloads.image_beat(config))),
                "o_score": Out(stream.Signature(payloads.score_beat(config))),
            }
        )

    def elaborate(self, platform: object) -> Module:
        m = Module()
        m.submodules.reader = reader = LoadReader(self._config)
        m.submodules.core = core = NetworkCore(self._config)
        connect(m, flipped(self.i_load), reader.i)
        connect(m, reader.o, core.i_load)
        connect(m, flipped(self.i_image), core.i_image)
        connect(m, core.o_score, flipped(self.o_score))
        return m
