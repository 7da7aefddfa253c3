"""Proofs of the stochastic attention unit."""

from amaranth.hdl import Assert, Assume, Cover, Mux, Signal

from hw.stochastic import unit
from tests.proofs.property import Fault, Property


class SpikesWhereTheCountExceedsTheDraw(Property):
    """In the cycle after every feature, the unit spikes exactly if the coincidences of the time step so far
    are more than its draw; the counter never overflows.

    Assumes: draws of 0..d-1, and at most d coincidences in a time step."""

    component = "stochastic/unit"
    cases = tuple({"head_dim": d} for d in (6, 2, 16, 100, 256))
    faults = (
        Fault(module=unit, old="~self.draw", new="-self.draw"),
        Fault(module=unit, old="(self.q & self.k)", new="(self.q | self.k)"),
    )

    def build(self, head_dim: int) -> None:
        m = self.m
        cell = self.opened("cell", unit.AttentionUnit(head_dim))
        ports = cell.ports
        count, draw = Signal(range(head_dim + 1)), Signal(range(head_dim))
        begun = Signal()
        add = ports.q & ports.k
        m.d.comb += [
            Assume(~ports.first | (ports.draw < head_dim)),
            Assume(ports.first | ~add | (count != head_dim)),
        ]
        m.d.sync += count.eq(Mux(ports.first, add, count + add))
        with m.If(ports.first):
            m.d.sync += [draw.eq(ports.draw), begun.eq(1)]
        m.d.comb += [
            Assert(~begun | (ports.spike == (count > draw))),
            Assert(~begun | (cell["counter"] == count + ((1 << cell.ports.draw_bits) - 1 - draw))),
            Assert((count <= head_dim) & (draw < head_dim)),
            Cover(begun & ports.spike & (draw == 1)),
            Cover(begun & ~ports.spike & (count == 1)),
        ]
