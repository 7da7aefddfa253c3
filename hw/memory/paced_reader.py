"""A core whose stream of weights comes as from a memory, to simulate it with one of any timing."""

from typing import Any

from amaranth.hdl import Module, Signal
from amaranth.lib import stream, wiring
from amaranth.lib.fifo import SyncFIFO
from amaranth.lib.wiring import In, Out, connect, flipped

from golden.network.reader import ReaderTiming


class PacedReader(wiring.Component):
    """Lets words through when a memory would bring them.

    Members:
        running: high from the start of the reader on.
        i: the words, always there; o: the same.

    Timing: `golden.network.reader.ReaderTiming`; a word can leave the cycle after it came.
    """

    def __init__(self, timing: ReaderTiming, width: int) -> None:
        self._timing, self._width = timing, width
        words = stream.Signature(width)
        super().__init__({"running": In(1), "i": In(words), "o": Out(words)})

    def elaborate(self, platform: object) -> Module:
        m = Module()
        timing = self._timing
        m.submodules.queue = queue = SyncFIFO(width=self._width, depth=timing.queue)
        late = Signal(range(timing.latency + 1), init=timing.latency)
        place, rest = Signal(range(timing.period)), Signal(range(timing.interval))
        m.d.comb += [
            self.i.ready.eq(self.running & (late == 0) & (place >= timing.gap) & (rest == 0) & queue.w_rdy),
            queue.w_en.eq(self.i.valid & self.i.ready),
            queue.w_data.eq(self.i.payload),
            self.o.payload.eq(queue.r_data),
            self.o.valid.eq(queue.r_rdy),
            queue.r_en.eq(self.o.ready),
        ]
        with m.If(~self.running):
            m.d.sync += [late.eq(timing.latency), place.eq(0), rest.eq(0)]
        with m.Elif(late != 0):
            m.d.sync += late.eq(late - 1)
        with m.Else():
            with m.If(place >= timing.gap):
                m.d.sync += rest.eq(rest + 1)
                with m.If(rest == timing.interval - 1):
                    m.d.sync += rest.eq(0)
            m.d.sync += place.eq(place + 1)
            with m.If(place == timing.period - 1):
                m.d.sync += [place.eq(0), rest.eq(0)]
        return m


class PacedNetwork(wiring.Component):
    """A core for networks, or one behind its load stream, whose weights come through a `PacedReader`."""

    def __init__(self, core: Any, timing: ReaderTiming) -> None:
        self._core, self._timing = core, timing
        super().__init__(dict(core.signature.members))

    def elaborate(self, platform: object) -> Module:
        m = Module()
        m.submodules.core = core = self._core
        m.submodules.reader = reader = PacedReader(self._timing, len(core.i_weights.payload))
        m.d.comb += reader.running.eq(core.running)
        for name, member in self.signature.members.items():
            outer, inner = getattr(self, name), getattr(core, name)
            if name == "i_weights":
                connect(m, flipped(outer), reader.i)
                connect(m, reader.o, inner)
            elif member.is_port:
                m.d.comb += outer.eq(inner)
            elif member.flow is In:
                connect(m, flipped(outer), inner)
            else:
                connect(m, inner, flipped(outer))
        return m
