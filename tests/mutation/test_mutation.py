"""A sample of the mutants, and that what judges them can tell what dies from what never shows."""

import itertools
import re
from collections import Counter
from dataclasses import replace

import pytest
from amaranth.hdl import Module, Signal
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from tests.mutation.judge import Judge, draw
from tests.mutation.netlist import SELECT, Mutant, Site, mutated, netlist
from tests.mutation.test_equivalence import Redundant

SAMPLE = "stochastic, two tokens"
EACH = 8


@pytest.fixture(scope="module")
def judge() -> Judge:
    return Judge(SAMPLE, draw(SAMPLE, EACH, seed=1))


def test_the_sound_design_passes(judge: Judge) -> None:
    assert judge.failed(0, judge.trials) is None


def test_a_trial_that_runs_nothing_is_refused() -> None:
    """Nothing is no run that could come out otherwise: every mutant would pass."""
    idle = Judge(SAMPLE, draw(SAMPLE, EACH, seed=1))
    first = idle.trials[0]
    trials = {first: idle._subject.trials[first], "idle": lambda simulator: None}
    idle._subject = replace(idle._subject, trials=trials)
    with pytest.raises(AssertionError, match="a trial runs its subject, idle does not"):
        idle.failed(0, trials)


def test_a_sample_dies(judge: Judge) -> None:
    verdicts = [judge.tried(mutant) for mutant in draw(SAMPLE, EACH, seed=1)]
    verdicts = [
        judge.proven(one) if of.outcome == "passed" else of
        for one, of in zip(draw(SAMPLE, EACH, seed=1), verdicts, strict=True)
    ]
    counts = Counter(verdict.outcome for verdict in verdicts)
    assert len(verdicts) >= 4 * EACH
    assert counts["killed"] >= 0.9 * (counts["killed"] + counts["survived"]) > 0
    assert all(verdict.killer in judge.trials for verdict in verdicts if verdict.outcome == "killed")


def test_mutants_are_drawn_by_seed() -> None:
    first, again, other = (draw(SAMPLE, EACH, seed) for seed in (1, 1, 2))
    assert first == again
    assert {str(mutant) for mutant in first} != {str(mutant) for mutant in other}
    assert len({str(mutant) for mutant in first}) == len(first)


class Wide(wiring.Component):
    """Two registers of eight bits one behind the other, of which two bits leave."""

    i: In(8)
    o: Out(2)

    def elaborate(self, platform: object) -> Module:
        m = Module()
        first, second = Signal(8), Signal(8)
        m.d.sync += [first.eq(self.i), second.eq(first)]
        m.d.comb += self.o.eq(second[3:5])
        return m


def test_no_fault_is_planted_in_bits_that_nothing_reads() -> None:
    found = netlist(Wide(), "wide").rtlil
    registers = re.findall(r"^  cell \$dff .*\n +parameter \\WIDTH (\d+)$", found, re.M)
    assert registers == ["2", "2"]
    mutant = Mutant(
        1, "inv", Site("wide", re.findall(r"^  cell \$dff (\S+)", found, re.M)[1], "Q", 1, 2, "", "")
    )
    assert SELECT in mutated(netlist(Wide(), "wide"), [mutant]).verilog


class Renamed(wiring.Component):
    """A `Redundant` in other words."""

    a: In(1)
    b: In(1)
    o: Out(1)

    def elaborate(self, platform: object) -> Module:
        m = Module()
        sum_of_both = Signal()
        m.d.comb += sum_of_both.eq(self.a | self.b)
        m.d.sync += self.o.eq(self.a & sum_of_both)
        return m


class Turned(Renamed):
    """Not the same: or and and have changed places."""

    def elaborate(self, platform: object) -> Module:
        m = Module()
        m.d.sync += self.o.eq(self.a | (self.a & self.b))
        return m


def test_a_netlist_is_known_whatever_its_names() -> None:
    one, again, other = (netlist(kind(), kind.__name__) for kind in (Redundant, Renamed, Turned))
    assert {site.form for site in one.sites} == {site.form for site in again.sites}
    assert one.form == again.form != other.form
    assert len({Mutant(1, "inv", site).place for site in one.sites}) == len(one.sites)


class Begun(wiring.Component):
    """A register that no reset touches, which begins at `init`."""

    a: In(1)
    o: Out(1)

    def __init__(self, init: int) -> None:
        self.init = init
        super().__init__()

    def elaborate(self, platform: object) -> Module:
        m = Module()
        kept = Signal(init=self.init, reset_less=True)
        m.d.sync += kept.eq(kept ^ self.a)
        m.d.comb += self.o.eq(kept)
        return m


def test_a_netlist_is_known_by_what_its_registers_begin_with() -> None:
    one, again, other = (netlist(Begun(init), "begun") for init in (1, 1, 0))
    assert one.form == again.form != other.form
    assert not {site.form for site in one.sites} & {site.form for site in other.sites}


class Difference(wiring.Component):
    """One input minus the other, which also leaves as it came; `turned`: the other way round."""

    a: In(4)
    b: In(4)
    o: Out(4)
    p: Out(4)

    def __init__(self, minus: str, past: str) -> None:
        self.minus, self.past = minus, past
        super().__init__()

    def elaborate(self, platform: object) -> Module:
        m = Module()
        one, two = (self.a, self.b) if self.minus == "a - b" else (self.b, self.a)
        m.d.sync += self.o.eq(one - two)
        m.d.comb += self.p.eq(getattr(self, self.past))
        return m


def test_a_netlist_is_known_by_which_port_is_which() -> None:
    made = [netlist(Difference(*how), "difference") for how in itertools.product(("a - b", "b - a"), "ab")]
    assert len({one.form for one in made}) == len(made)
