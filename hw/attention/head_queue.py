"""Queue of head descriptors in front of a unit."""

from amaranth.hdl import Module, Signal
from amaranth.lib import data, stream, wiring
from amaranth.lib.fifo import SyncFIFO
from amaranth.lib.wiring import In, Out


class HeadQueue(wiring.Component):
    """Descriptors that wait, and the current one in a register.

    Members:
        i: descriptors.
        o: the current descriptor.

    Timing: two cycles from `i` to `o` when empty; `o` pauses for one cycle after each transfer.
    """

    def __init__(self, layout: data.StructLayout, depth: int) -> None:
        self._depth = depth
        super().__init__({"i": In(stream.Signature(layout)), "o": Out(stream.Signature(layout))})

    def elaborate(self, platform: object) -> Module:
        # The units compare the descriptor with their counters in every cycle: it must come from
        # flip-flops, not through the read port of a memory. What they decide late in a cycle, that
        # a head is done, ends in a flip-flop here.
        m = Module()
        m.submodules.waiting = waiting = SyncFIFO(width=self.i.payload.shape().size, depth=self._depth - 1)
        full, taken = Signal(), Signal()
        m.d.comb += [
            waiting.w_data.eq(self.i.payload),
            waiting.w_en.eq(self.i.valid),
            self.i.ready.eq(waiting.w_rdy),
            waiting.r_en.eq(~full | taken),
            self.o.valid.eq(full & ~taken),
        ]
        m.d.sync += taken.eq(self.o.valid & self.o.ready)
        with m.If(waiting.r_en):
            m.d.sync += [full.eq(waiting.r_rdy), self.o.payload.eq(waiting.r_data)]
        return m
