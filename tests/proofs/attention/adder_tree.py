"""Proofs of the adder tree of a cluster: its sums never leave their width."""

from amaranth.hdl import Assert, Assume, Const, Cover, Signal, signed

from golden.attention.config import CoreConfig
from golden.code import PhaseCode
from hw.attention import adder_tree
from tests.proofs.property import Fault, Property


class SumIsTheSumOfAll(Property):
    """`latency` cycles after the addends of a cluster, its link holds their sum and that of the clusters
    before, in integers without a width, with every carry added once; the tags come with it.

    Assumes: addends of at most a trace's full value; before this cluster, that value for each lane."""

    component = "attention/adder_tree"
    cases = tuple({"cluster": n, "first": first} for n in (3, 1, 2, 4, 5) for first in (False, True))
    faults = (
        Fault(module=adder_tree, old="carry.eq(b[1])", new="carry.eq(a[1])"),
        Fault(module=adder_tree, old="max(len(a[0]), len(b[0])) + 1", new="max(len(a[0]), len(b[0]))"),
        Fault(module=adder_tree, old="carry.eq(a[1])", new="carry.eq(0)"),
    )

    def build(self, cluster: int, first: bool) -> None:
        m = self.m
        config = CoreConfig(
            code=PhaseCode(steps=2, trace_bits=4),
            lanes=2 * cluster,
            cluster=cluster,
            tokens=2 * cluster,
            head_dim=1,
            terms_per_beat=1,
        )
        tree = self.unit("tree", adder_tree.AdderTree(config, first_cluster=first))
        full = 1 << config.code.trace_bits
        addends = [tree.addends[n] + tree.carries[n] for n in range(cluster)]
        m.d.comb += [Assume((addend <= full) & (addend >= -full)) for addend in addends]
        latency = adder_tree.AdderTree.latency(cluster)
        total = Signal(signed(config.code.trace_bits + 8))
        m.d.comb += total.eq(sum(addends, Const(0)))
        expected = self.later(total, latency)
        if not first:
            before = Signal.like(total)
            m.d.comb += before.eq(tree.i.sum + tree.i.carry)
            m.d.comb += Assume((before <= cluster * full) & (before >= -cluster * full))
            expected = expected + self.later(before)
        settled = self.later(Const(1), latency)
        tags = self.later(tree.tags, latency)
        m.d.comb += [
            Assert(~settled | (tree.o.sum + tree.o.carry == expected)),
            Assert(tree.o.tags.as_value() == tags.as_value()),
            Cover(settled & (tree.o.sum + tree.o.carry == (1 if first else 2) * cluster * full)),
            Cover(settled & (tree.o.sum + tree.o.carry == -(1 if first else 2) * cluster * full)),
        ]
