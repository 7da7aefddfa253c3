"""Order of what passes through a component: one of all items is followed, and any may be that one; and what a
memory holds."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from unittest.mock import patch

from amaranth.hdl import Assert, Const, Cover, Signal, Value
from amaranth.lib.memory import Memory

from tests.proofs.property import Property


def passes_in_order(prop: Property, *, push: Value, item: Any, pop: Value, out: Any, capacity: int) -> Signal:
    """Claim that items leave as they came: none invented, repeated, changed, overtaken or lost.

    Args:
        push, item: what enters in this cycle.
        pop, out: what leaves in this cycle.
        capacity: items that are inside at most.

    Returns:
        The number of items inside.
    """
    m = prop.m
    item, out = Value.cast(item), Value.cast(out)
    inside = Signal(range(capacity + 1))
    follow = prop.free(1, "follow")
    followed, before, kept = Signal(), Signal(range(capacity + 1)), Signal(len(item))
    m.d.sync += inside.eq(inside + push - pop)
    with m.If(push & follow & ~followed):
        m.d.sync += [followed.eq(1), before.eq(inside - pop), kept.eq(item)]
    with m.Elif(followed & pop):
        m.d.sync += [before.eq(before - 1), followed.eq(before != 0)]
    m.d.comb += [
        Assert(~pop | (inside != 0)),
        Assert(~push | (inside != capacity) | pop),
        Assert(~(pop & followed & (before == 0)) | (out == kept)),
        Assert(~followed | (before < inside)),
        Cover(pop & followed & (before == 0)),
    ]
    return inside


def stays_offered(prop: Property, o: Any) -> None:
    """Claim that a stream offers the same payload until it is taken, whatever else happens but reset."""
    payload = Value.cast(o.payload)
    running = prop.later(Const(1))
    waits = prop.later(o.valid & ~o.ready)
    prop.m.d.comb += [
        Assert(~waits | ~running | (o.valid & (payload == prop.later(payload)))),
        Cover(waits & running & o.ready),
    ]


class Peeked(Memory):
    """A memory in which one more word can be seen: `peek`."""

    def __init__(self, **how: Any) -> None:
        super().__init__(**how)
        self.peek = self.read_port(domain="comb")


@contextmanager
def peeked(kind: type) -> Iterator[None]:
    """While this lasts, a component of this class gets such a memory: induction has to speak of what is in
    it, and that is no register with a name."""
    with patch.dict(kind.elaborate.__globals__, Memory=Peeked):  # type: ignore[attr-defined]
        yield
