"""Adder tree of a cluster, and its link to the partial sum of the clusters before."""

from amaranth.hdl import Cat, Module, Signal, Value, signed
from amaranth.lib import data, wiring
from amaranth.lib.wiring import In, Out

from golden.attention.config import CoreConfig
from hw.attention import payloads


class AdderTree(wiring.Component):
    """Pipelined sum of the addends of a cluster and of the clusters before it.

    Every addend owes a carry of its own. An adder has one carry input: of the two carries that
    meet at a node it adds one and passes the other on, so that a single one is left at the end.

    Members:
        addends, carries: of every lane.
        tags: what the addends are.
        i: partial sum of the clusters before, aligned with the tree's output.
        o: partial sum including this cluster.

    Timing: addends to `o`: `latency` cycles, `i` to `o`: one cycle.
    """

    def __init__(self, config: CoreConfig, *, first_cluster: bool) -> None:
        self._config = config
        self._first_cluster = first_cluster
        width = config.code.trace_bits + 2
        super().__init__(
            {
                "addends": In(data.ArrayLayout(signed(width), config.cluster)),
                "carries": In(config.cluster),
                "tags": In(payloads.context_tags()),
                "i": In(payloads.context_link(config)),
                "o": Out(payloads.context_link(config)),
            }
        )

    @staticmethod
    def latency(lanes: int) -> int:
        return (lanes - 1).bit_length() + 1

    def elaborate(self, platform: object) -> Module:
        m = Module()
        tags = self.tags

        def add(name: str, a: tuple[Value, Value], b: tuple[Value, Value]) -> tuple[Value, Value]:
            total = Signal(signed(max(len(a[0]), len(b[0])) + 1), name=f"sum_{name}", reset_less=True)
            carry = Signal(name=f"carry_{name}", reset_less=True)
            m.d.sync += [
                total.eq((Cat(1, a[0]).as_signed() + Cat(a[1], b[0]).as_signed())[1:].as_signed()),
                carry.eq(b[1]),
            ]
            return total, carry

        def keep(name: str, a: tuple[Value, Value]) -> tuple[Value, Value]:
            total = Signal(signed(len(a[0])), name=f"sum_{name}", reset_less=True)
            carry = Signal(name=f"carry_{name}", reset_less=True)
            m.d.sync += [total.eq(a[0]), carry.eq(a[1])]
            return total, carry

        level: list[tuple[Value, Value]] = [
            (self.addends[lane], self.carries[lane]) for lane in range(self._config.cluster)
        ]
        depth = 0

        def delayed(now: Value) -> Signal:
            register = Signal(payloads.context_tags(), name=f"tags_{depth}")
            m.d.sync += register.eq(now)
            return register

        while len(level) > 1:
            level = [
                add(f"{depth}_{n}", *level[n : n + 2])
                if n + 1 < len(level)
                else keep(f"{depth}_{n}", level[n])
                for n in range(0, len(level), 2)
            ]
            tags = delayed(tags)
            depth += 1
        own = level[0]
        if self._first_cluster:
            total, carry = keep("link", own)
        else:
            total, carry = add("link", own, (self.i.sum, self.i.carry))
        tags = delayed(tags)
        m.d.comb += [self.o.tags.eq(tags), self.o.sum.eq(total), self.o.carry.eq(carry)]
        return m
