"""Queue of head descriptors in front of a unit."""

from collections.abc import Mapping

from amaranth.hdl import Cat, Module, Signal
from amaranth.lib import data, stream, wiring
from amaranth.lib.fifo import SyncFIFO
from amaranth.lib.wiring import In, Out, connect


class HeadQueue(wiring.Component):
    """Descriptors that wait, and the current one in a register.

    Args:
        layout: of a descriptor.
        depth: descriptors that it holds; with 1 none waits behind the current one.

    Members:
        i: descriptors.
        o: the current descriptor.

    Timing: two cycles from `i` to `o` when empty, one where none waits; `o` pauses for one cycle after each
    transfer, for two where none waits.
    """

    def __init__(self, layout: data.StructLayout, depth: int) -> None:
        self._depth = depth
        super().__init__({"i": In(stream.Signature(layout)), "o": Out(stream.Signature(layout))})

    def elaborate(self, platform: object) -> Module:
        # The units compare the descriptor with their counters in every cycle: it must come from
        # flip-flops, not through the read port of a memory. What they decide late in a cycle, that
        # a head is done, ends in a flip-flop here.
        m = Module()
        if self._depth == 1:
            return self._alone(m)
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

    def _alone(self, m: Module) -> Module:
        """The current descriptor, behind which none waits."""
        held, done = Signal(), Signal()
        m.d.comb += [self.i.ready.eq(~held), self.o.valid.eq(held & ~done)]
        m.d.sync += done.eq(self.o.valid & self.o.ready)
        with m.If(~held):
            m.d.sync += [held.eq(self.i.valid), self.o.payload.eq(self.i.payload)]
        with m.Elif(done):
            m.d.sync += held.eq(0)
        return m


def fork_heads(
    m: Module, heads: stream.Interface, units: Mapping[str, wiring.Component], queued: int
) -> None:
    """Give every unit a queue of its own, for so many heads, with the fields that its `i_head` reads."""
    rooms = []
    accept = Signal()
    for name, unit in units.items():
        layout = unit.i_head.payload.shape()
        m.submodules[f"{name}_heads"] = queue = HeadQueue(layout, queued)
        m.d.comb += [
            getattr(queue.i.payload, field).eq(getattr(heads.payload, field)) for field in layout.members
        ]
        m.d.comb += queue.i.valid.eq(accept)
        connect(m, queue.o, unit.i_head)
        rooms.append(queue.i.ready)
    m.d.comb += [heads.ready.eq(Cat(rooms).all()), accept.eq(heads.valid & heads.ready)]
