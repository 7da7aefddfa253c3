"""A queue that nothing is written to unless there is room."""

from amaranth.hdl import Module, Mux, Signal
from amaranth.lib import wiring
from amaranth.lib.memory import Memory
from amaranth.lib.wiring import In, Out


class GrantedQueue(wiring.Component):
    """Words in order; whoever writes has counted its room, and the queue does not look.

    Args:
        width: of a word.
        depth: places.

    Members:
        w_data, w_en: a word to keep.
        r_data, r_rdy: the oldest word, if there is one.
        r_en: drop it; without one nothing happens.
        level: words that are held.

    Timing: a word that is written in cycle n can be read in n + 1.
    """

    def __init__(self, width: int, depth: int) -> None:
        self._width, self._depth = width, depth
        super().__init__(
            {
                "w_data": In(width),
                "w_en": In(1),
                "r_data": Out(width),
                "r_rdy": Out(1),
                "r_en": In(1),
                "level": Out(range(depth + 1)),
            }
        )

    def elaborate(self, platform: object) -> Module:
        m = Module()
        m.submodules.storage = storage = Memory(shape=self._width, depth=self._depth, init=[])
        write, read = storage.write_port(), storage.read_port(domain="comb")
        produce, consume = Signal(range(self._depth)), Signal(range(self._depth))
        drop = Signal()
        m.d.comb += [
            write.addr.eq(produce),
            write.data.eq(self.w_data),
            write.en.eq(self.w_en),
            read.addr.eq(consume),
            self.r_data.eq(read.data),
            self.r_rdy.eq(self.level != 0),
            drop.eq(self.r_en & self.r_rdy),
        ]
        for place, move in ((produce, self.w_en), (consume, drop)):
            with m.If(move):
                m.d.sync += place.eq(Mux(place == self._depth - 1, 0, place + 1))
        m.d.sync += self.level.eq(self.level + self.w_en - drop)
        return m
