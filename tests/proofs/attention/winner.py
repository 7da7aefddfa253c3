"""Proofs of the winner search: node by node, then as a tree, then row by row."""

from dataclasses import dataclass
from typing import Any

from amaranth.hdl import Assert, Assume, Cat, Cover, Module, Mux, Signal, Value

from golden.attention.config import CoreConfig
from golden.code import PhaseCode
from hw.attention import winner
from tests.proofs.property import Fault, Property


class Bits:
    """The bits of one number so far, most significant first, as they come after each other.

    Attributes:
        before: those that came before this cycle.
        now: those up to this cycle.
    """

    def __init__(self, m: Module, width: int, bit: Value, *, begin: Value, counts: Value) -> None:
        self.before, self.now = Signal(width), Signal(width)
        m.d.comb += self.now.eq(Mux(counts, Cat(bit, Mux(begin, 0, self.before)), self.before))
        m.d.sync += self.before.eq(self.now)


def largest(values: list[Value]) -> Value:
    """By a linear scan."""
    found = values[0]
    for value in values[1:]:
        found = Mux(value > found, value, found)
    return found


@dataclass
class Framing:
    """When bits count, in the cycle of the bits; `count`: how many of a number came before this cycle;
    `idle`: that number is complete, or there was none."""

    begin: Value
    counts: Value
    count: Value
    idle: Value

    def later(self, prop: Property) -> "Framing":
        out = Framing(*(prop.later(value) for value in (self.begin, self.counts, self.count, self.idle)))
        prop.m.d.comb += Assert(self.count == Mux(out.begin, 1, out.count + out.counts))
        return out


def framing(prop: Property, last: Value, valid: Value, width: int) -> Framing:
    """The framing of bits that the environment sends, at most `width` per number."""
    m = prop.m
    first, count = Signal(init=1), Signal(range(width + 1))
    m.d.comb += [Assume(~valid | first | (count != width)), Assert(count <= width)]
    with m.If(valid):
        m.d.sync += [first.eq(last), count.eq(Mux(first, 1, count + 1))]
    return Framing(valid & first, valid, count, first)


class NodeTakesTheLarger(Property):
    """After every bit, the winner's bits so far are the larger of the two numbers' bits so far.

    Assumes: numbers of at most 28 bits, more than a score of any configuration has; the last bit of each
    is marked."""

    component = "attention/winner"
    faults = (
        Fault(module=winner, old="inhibit_b | (a & ~b)", new="inhibit_b | (a & b)"),
        Fault(module=winner, old="inhibit_a.eq(0)", new="inhibit_a.eq(b)"),
    )

    def build(self, width: int = 28) -> None:
        m = self.m
        node = self.opened("node", winner.WinnerNode())
        ports = node.ports
        frame = framing(self, ports.last, ports.valid, width)
        a = Bits(m, width, ports.a, begin=frame.begin, counts=frame.counts).before
        b = Bits(m, width, ports.b, begin=frame.begin, counts=frame.counts).before
        out = frame.later(self)
        found = Bits(m, width, ports.winner, begin=out.begin, counts=out.counts)
        m.d.comb += [
            Assert(found.now == largest([a, b])),
            Assert(((a | b) >> frame.count) == 0),
            Assert(node["inhibit_a"] == ((a < b) & ~frame.idle)),
            Assert(node["inhibit_b"] == ((a > b) & ~frame.idle)),
            Cover((frame.count == 8) & (a > b) & frame.counts),
            Cover((frame.count == 8) & (a < b) & ~frame.counts),
        ]


class TreeTakesTheLargest(Property):
    """After every bit, what leaves each node of a cluster's tree, and the tree, is the largest of the numbers
    that entered it, as many cycles later as `latency` says, whatever the number of lanes.

    Assumes: numbers of at most 4 bits, the last bit of each marked; the clusters before send the bits of
    their largest in time with the tree's last node."""

    component = "attention/winner"
    cases = tuple({"lanes": lanes, "first": first} for lanes in (3, 1, 2, 4, 5, 8) for first in (False, True))
    faults = (
        Fault(module=winner, old="level[n : n + 2]", new="level[n : n + 1]"),
        Fault(module=winner, old="0 if self._first_cluster else self.i.bit", new="0"),
        Fault(module=winner, old="unit.last.eq(tags.last)", new="unit.last.eq(self.tags.last)"),
    )

    def build(self, lanes: int = 3, first: bool = False, width: int = 4) -> None:
        m = self.m
        tree = self.opened("tree", winner.WinnerTree(lanes, first_cluster=first))
        ports = tree.ports
        frame = framing(self, ports.tags.last, ports.tags.valid, width)
        entered = [
            Bits(m, width, ports.bits[n], begin=frame.begin, counts=frame.counts).before for n in range(lanes)
        ]

        def node(name: str, numbers: list[Value], later: list[Value], a: Any, b: Any, bit: Value) -> Signal:
            """`numbers` that entered so far, and a cycle later; what is at the node's inputs, the node's bit.

            Returns what left before this cycle."""
            out = frame.later(self)
            found = Bits(m, width, bit, begin=out.begin, counts=out.counts)
            m.d.comb += [
                *[Assert((number >> frame.count) == 0) for number in numbers],
                Assert(found.now == largest(numbers)),
                Assert(found.before == largest(later)),
                Assert(tree[f"{name}.inhibit_a"] == ((a < b) & ~frame.idle)),
                Assert(tree[f"{name}.inhibit_b"] == ((a > b) & ~frame.idle)),
            ]
            return found.before

        numbers, level, groups = entered, list(entered), [[n] for n in range(lanes)]
        later = [self.later(number) for number in numbers]
        depth = 0
        while len(level) > 1:
            pairs = [(n, n + 1 if n + 1 < len(level) else None) for n in range(0, len(level), 2)]
            merged = [groups[a] + (groups[b] if b is not None else []) for a, b in pairs]
            level = [
                node(
                    f"node_{depth}_{n}",
                    [numbers[lane] for lane in merged[n]],
                    [later[lane] for lane in merged[n]],
                    level[a],
                    0 if b is None else level[b],
                    tree[f"node_{depth}_{n}.self"].winner,
                )
                for n, (a, b) in enumerate(pairs)
            ]
            groups, frame = merged, frame.later(self)
            numbers, later = later, [self.later(number) for number in later]
            depth += 1
        others = [] if first else [Bits(m, width, ports.i.bit, begin=frame.begin, counts=frame.counts).before]
        late = [self.later(number) for number in others]
        node("link", [*numbers, *others], [*later, *late], level[0], others[0] if others else 0, ports.o.bit)
        tags = self.later(ports.tags, winner.WinnerTree.latency(lanes))
        m.d.comb += [
            Assert(Value.cast(ports.o.tags) == Value.cast(tags)),
            Cover((frame.count == width) & (entered[-1] == largest(entered)) & (entered[-1] != 0)),
        ]


class CollectorKeepsTheLargest(Property):
    """When a row's winner is found, it is the largest score of all its groups, and it is found once per row,
    two cycles after the last bit.

    Assumes: groups of as many bits as a number has, one per cycle (`SearchHasNoPauses`), the last one marked,
    `final` on all bits of a row's last group."""

    component = "attention/winner"
    reach = 30
    faults = (
        Fault(module=winner, old="more.eq(~final)", new="more.eq(1)"),
        Fault(module=winner, old="~more | (best < word)", new="best < word"),
    )

    def build(self) -> None:
        m = self.m
        config = CoreConfig(
            code=PhaseCode(steps=4, trace_bits=4), head_dim=1, lanes=1, cluster=1, tokens=2, terms_per_beat=1
        )
        width = config.score_width
        collector = self.unit("collector", winner.WinnerCollector(config))
        tags, bit = collector.i.tags, collector.i.bit
        place = Signal(range(width + 1))  # of the bit: `alive` has the highest
        word, best, more = Signal(width + 1), Signal(width + 1), Signal()
        now = Signal(width + 1)
        final = Signal()
        m.d.comb += [
            Assume(tags.last == (place == width)),
            Assume((place == 0) | tags.valid),
            Assume((place == 0) | (tags.final == final)),
            now.eq(Cat(bit, word)),
        ]
        with m.If(tags.valid):
            m.d.sync += [final.eq(tags.final), place.eq(Mux(place == width, 0, place + 1)), word.eq(now)]
            with m.If(place == width):
                m.d.sync += [best.eq(Mux(more & (best > now), best, now)), more.eq(~tags.final), word.eq(0)]
        found = self.later(tags.valid & tags.last & tags.final, 2)
        expected = self.later(best)
        m.d.comb += [
            Assert(collector.found == found),
            Assert(~found | (collector.winner.as_unsigned() == expected[:width] ^ (1 << (width - 1)))),
            Cover(found & (collector.winner < 0)),
            Cover(found & (collector.winner > 0)),
        ]
