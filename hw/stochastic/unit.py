"""Stochastic attention unit: one AND gate, one counter, one comparison with a random number."""

from amaranth.hdl import Module, Mux, Signal
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out


class AttentionUnit(wiring.Component):
    """Unit (i, j): spikes when the coincidences of q[i] and k[j] exceed a draw of 0..d-1.

    A feature per cycle; a cycle with q = 0 and `first` = 0 counts nothing and may stand anywhere
    in between. `spike` is valid in the cycle after the last feature.

    Parameters
        head_dim: d.

    Members
        q, k: spikes of the feature.
        first: the feature is the first of its time step.
        draw: uniform in 0..d-1, read while `first` is set.
        spike: count > draw.
    """

    def __init__(self, head_dim: int) -> None:
        self.draw_bits = (head_dim - 1).bit_length()
        super().__init__(
            {"q": In(1), "k": In(1), "first": In(1), "draw": In(self.draw_bits), "spike": Out(1)}
        )

    def elaborate(self, platform: object) -> Module:
        # count > draw is count + (2**b - 1 - draw) >= 2**b: the counter starts at the complement of
        # the draw, and its carry is the comparator. A unit without a comparator and without a
        # register for the draw is about half the area. `first` sets the counter, nothing else does.
        m = Module()
        counter = Signal(self.draw_bits + 1, reset_less=True)
        start = Signal(self.draw_bits + 1)
        m.d.comb += start[: self.draw_bits].eq(~self.draw)
        m.d.sync += counter.eq(Mux(self.first, start, counter) + (self.q & self.k))
        m.d.comb += self.spike.eq(counter[self.draw_bits])
        return m
