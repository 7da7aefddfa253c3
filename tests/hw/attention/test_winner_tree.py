"""Winner search against a linear scan, for every combination of small scores."""

import numpy as np
import pytest
from amaranth.hdl import Module, Signal, Value
from amaranth.lib import data, stream, wiring
from amaranth.lib.wiring import In, Out
from numpy.typing import NDArray

from hw.attention.winner import WinnerTree
from sim.verilator.build import build
from sim.verilator.simulator import Simulator

# (lanes of a cluster, clusters, bits of a number): trees of every shape up to five lanes, and chains
CASES = [(1, 1, 4), (2, 1, 4), (3, 1, 4), (4, 1, 3), (5, 1, 3), (1, 3, 4), (2, 2, 3), (3, 2, 2)]


def later(m: Module, value: Value) -> Signal:
    register = Signal.like(value, name="later")
    m.d.sync += register.eq(value)
    return register


class Searches(wiring.Component):
    """One search per case, its clusters a cycle behind each other.

    Members, with the number of the case:
        i_N: one bit of every number, and whether it is the last.
        o_N: the same bit of the largest number.
    """

    def __init__(self) -> None:
        members = {}
        for n, (lanes, clusters, _) in enumerate(CASES):
            bit = data.StructLayout({"bits": data.ArrayLayout(1, lanes * clusters), "last": 1})
            members[f"i_{n}"] = In(stream.Signature(bit, always_ready=True))
            members[f"o_{n}"] = Out(stream.Signature(1, always_ready=True))
        super().__init__(members)

    def elaborate(self, platform: object) -> Module:
        m = Module()
        for n, (lanes, clusters, _) in enumerate(CASES):
            i, o = getattr(self, f"i_{n}"), getattr(self, f"o_{n}")
            bits, last, valid, link = i.payload.bits.as_value(), i.payload.last, i.valid, None
            for cluster in range(clusters):
                m.submodules[f"tree_{n}_{cluster}"] = tree = WinnerTree(lanes, first_cluster=link is None)
                m.d.comb += [
                    tree.bits.eq(bits[cluster * lanes :]),
                    tree.tags.last.eq(last),
                    tree.tags.valid.eq(valid),
                ]
                if link is not None:
                    m.d.comb += tree.i.eq(link)
                link = tree.o
                bits, last, valid = (later(m, value) for value in (bits, last, valid))
            m.d.comb += [o.valid.eq(link.tags.valid), o.payload.eq(link.bit)]
        return m


def numbers(case: int) -> NDArray[np.int64]:
    """Every combination of numbers, in a random order that is the same in every run: [count, lanes]."""
    lanes, clusters, width = CASES[case]
    count = lanes * clusters
    every = np.random.default_rng(case).permutation(1 << count * width)
    return every[:, None] >> np.arange(count) * width & (1 << width) - 1


def linear_scan(words: NDArray[np.int64], width: int) -> NDArray[np.int64]:
    """The first largest score of the keys that take part, which the highest bit says; -1 if none does."""
    best = np.full(len(words), -1)
    for word in words.T:
        alive, score = word >> width - 1, word & (1 << width - 1) - 1
        best = np.where((alive == 1) & (score > best), score, best)
    return best


@pytest.fixture(scope="module")
def searches() -> Simulator:
    return build(Searches(), "searches", quick=True)


@pytest.mark.parametrize("pauses", [0.0, 0.3])
def test_every_combination(searches: Simulator, pauses: float) -> None:
    inputs, expect = {}, {}
    for case, (_, _, width) in enumerate(CASES):
        words = numbers(case)
        bits = words[:, None, :] >> np.arange(width)[::-1, None] & 1
        last = np.tile(np.arange(width) == width - 1, len(words))
        inputs[f"i_{case}"] = {"bits": bits.reshape(len(last), -1), "last": last}
        expect[f"o_{case}"] = len(last)
    result = searches.run(inputs, expect, pauses=dict.fromkeys(inputs, pauses))
    for case, (_, _, width) in enumerate(CASES):
        found = result[f"o_{case}"].reshape(-1, width) @ (1 << np.arange(width)[::-1])
        best = linear_scan(numbers(case), width)
        some = best >= 0
        assert some.mean() > 0.4
        wrong = np.flatnonzero(found[some] != best[some] + (1 << width - 1))
        assert not len(wrong), f"lanes {CASES[case]}: {numbers(case)[some][wrong[0]].tolist()}"
