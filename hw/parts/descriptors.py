"""States that fetch one descriptor after the other from a memory."""

from collections.abc import Iterator
from contextlib import contextmanager

from amaranth.hdl import Module, Signal, Value
from amaranth.lib import data
from amaranth.lib.memory import ReadPort


class DescriptorFetch:
    """Adds to the state machine of a unit the states around the descriptors that it works off.

    The machine begins with `states`, whose body leads on to the unit's own; they end with `step` and
    `following`. Descriptors have a field `final`, high in the last.

    Args:
        m: of the unit.
        read: of the memory of descriptors.
        op: register of the current descriptor.

    Timing: a descriptor is in `op` three cycles after `begin`, two after `following`.
    """

    def __init__(self, m: Module, read: ReadPort, op: Signal) -> None:
        self._read, self._op = read, op
        self._number = Signal.like(read.addr, name="pc")
        m.d.comb += read.addr.eq(self._number)

    @contextmanager
    def states(self, m: Module, begin: Value) -> Iterator[data.View]:
        """Wait for `begin`, look up a descriptor; the body is given it a cycle before `op` has it."""
        with m.State("IDLE"):
            m.d.sync += self._number.eq(0)
            with m.If(begin):
                m.next = "LOAD"
        with m.State("LOAD"):
            m.next = "DATA"
        with m.State("DATA"):
            m.d.sync += self._op.eq(self._read.data)
            yield self._read.data

    def step(self, m: Module) -> None:
        """The next descriptor is to be looked up."""
        m.d.sync += self._number.eq(self._number + 1)

    def following(self, m: Module) -> None:
        """Go on to it, or wait for `begin` if this was the last."""
        m.next = "LOAD"
        with m.If(self._op.final):
            m.next = "IDLE"
