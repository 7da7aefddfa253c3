"""The engine itself: claims that are true, false, false only late, and true only under an assumption."""

from collections.abc import Callable
from pathlib import Path

import pytest
from amaranth.hdl import Assert, Assume, Cover, Module, Signal
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from hw.attention import winner
from tests.proofs.engine import Decider
from tests.proofs.property import Fault, Property


class Counter(wiring.Component):
    """Counts the cycles with `step` high, to 100 and no further."""

    def __init__(self) -> None:
        super().__init__({"step": In(1), "count": Out(8)})

    def elaborate(self, platform: object) -> Module:
        m = Module()
        with m.If(self.step & (self.count != 100)):
            m.d.sync += self.count.eq(self.count + 1)
        return m


def decide(folder: Path, claims: Callable[[Property, Counter], list[object]]) -> Decider:
    class Claim(Property):
        def build(self) -> None:
            self.m.d.comb += claims(self, self.unit("counter", Counter()))

    return Decider(Claim(), folder)


def test_true_in_all_cycles(tmp_path: Path) -> None:
    decider = decide(tmp_path, lambda _, counter: [Assert(counter.count <= 100)])
    verdict = decider.prove(None)
    assert verdict.holds
    assert verdict.how.startswith("induction")


def test_needs_what_no_assertion_says(tmp_path: Path) -> None:
    # 150 is not reachable, but from 149 it would be
    verdict = decide(tmp_path, lambda _, counter: [Assert(counter.count != 150)]).prove(None)
    assert verdict.holds
    assert verdict.how.startswith("reachability")


def test_false_late(tmp_path: Path) -> None:
    decider = decide(tmp_path, lambda _, counter: [Assert(counter.count != 12)])
    assert decider.search(12).holds
    assert decider.search(13).how == "fails in cycle 12"
    assert not decider.prove(None).holds


def test_undriven_inputs_and_reset_are_free(tmp_path: Path) -> None:
    def claims(prop: Property, counter: Counter) -> list[object]:
        before = Signal.like(counter.count, reset_less=True)
        prop.m.d.sync += before.eq(counter.count)
        reset = (counter.count == 0) & (before == 3)
        return [Cover(counter.count == 3), Cover(reset), Cover(counter.count == 9)]

    decider = decide(tmp_path, claims)
    assert decider.covers == 3
    assert decider.reached(8) == 2
    assert decider.reached(10) == 3


@pytest.mark.parametrize("limit", [5, 6])
def test_assumption_counts_from_the_cycle_it_is_broken_in(tmp_path: Path, limit: int) -> None:
    decider = decide(
        tmp_path,
        lambda _, counter: [Assume(~counter.step | (counter.count < limit)), Assert(counter.count < 6)],
    )
    assert decider.prove(None).holds == (limit == 5)


def test_unknown_never_changes(tmp_path: Path) -> None:
    def claims(prop: Property, counter: Counter) -> list[object]:
        value = prop.unknown(3, "value")
        seen = Signal()
        prop.m.d.sync += seen.eq(1)
        return [Assert(~seen | (value == prop.later(value))), Cover(value == 5)]

    decider = decide(tmp_path, claims)
    assert decider.prove(None).holds
    assert decider.reached(2) == 1


def test_fault_is_planted_for_a_while() -> None:
    sound = winner.WinnerNode
    fault = Fault(module=winner, old="self.winner.eq(a | b)", new="self.winner.eq(a & b)")
    with fault.planted():
        assert winner.WinnerNode is not sound
    assert winner.WinnerNode is sound
    with (
        pytest.raises(ValueError, match="must hold 'inhibit' once"),
        Fault(module=winner, old="inhibit", new="a").planted(),
    ):
        pass
