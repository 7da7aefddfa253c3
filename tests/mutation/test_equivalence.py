"""Which faults are proven to show nowhere: parts of a design, and memories whose words may be anything."""

import itertools
import re

import pytest
from amaranth.hdl import Module, Mux, Signal
from amaranth.lib import memory, wiring
from amaranth.lib.wiring import In, Out

from tests.mutation import equivalence
from tests.mutation.equivalence import Graph, Part, parts
from tests.mutation.netlist import Mutant, Site, mutated, netlist


class Redundant(wiring.Component):
    """A register of a & (a | b): nothing shows what b is."""

    a: In(1)
    b: In(1)
    o: Out(1)

    def elaborate(self, platform: object) -> Module:
        m = Module()
        either = Signal()
        m.d.comb += either.eq(self.a | self.b)
        m.d.sync += self.o.eq(self.a & either)
        return m


def test_only_what_never_shows_is_equivalent() -> None:
    made = netlist(Redundant(), "redundant")
    cells = re.findall(r"^  cell \$(and|or) (\S+)", made.rtlil, re.M)
    places = [(kind, port, cell) for kind, cell in cells for port in ("A", "B", "Y")]
    mutants = [
        Mutant(n, mode, Site("redundant", cell, port, 0, 1, "", ""))
        for n, (mode, (_, port, cell)) in enumerate(itertools.product(("const0", "inv"), places), 1)
    ]
    graph = Graph(mutated(made, mutants), Part("redundant"))
    same = {
        (mutant.mode, kind, port)
        for mutant, (kind, port, _) in zip(mutants, places * 2, strict=True)
        if graph.equivalent(mutant.number)
    }
    assert same == {("const0", "or", "B"), ("inv", "or", "B")}


class Tied(wiring.Component):
    """A `Redundant` that gets its `a` twice, in a way that no netlist is simplified for."""

    a: In(1)
    b: In(1)
    o: Out(1)

    def elaborate(self, platform: object) -> Module:
        m = Module()
        m.submodules.inner = inner = Redundant()
        same = self.a & (self.a | self.b)
        m.d.comb += [inner.a.eq(self.a), inner.b.eq(same), self.o.eq(inner.o)]
        return m


def test_what_a_module_cannot_know_the_design_around_it_does() -> None:
    made = netlist(Tied(), "tied")
    module = "tied.inner"
    inner = made.rtlil.partition("module \\tied.inner")[2].partition("\nend\n")[0]
    (cell,) = re.findall(r"^  cell \$or (\S+)", inner, re.M)
    mutants = [
        Mutant(n, mode, Site(module, cell, "A", 0, 1, "", "")) for n, mode in enumerate(("const0", "inv"), 1)
    ]
    found = mutated(made, mutants)
    assert parts(found.rtlil, module) == [Part(module), Part("tied")]
    assert [Graph(found, Part(module)).equivalent(n) for n in (1, 2)] == [False, False]
    assert [Graph(found, Part("tied")).equivalent(n) for n in (1, 2)] == [True, True]
    foreign = found.rtlil.replace("module \\tied\n", "module \\tied\n  cell \\chip \\one\n  end\n")
    assert foreign != found.rtlil
    assert parts(foreign, module) == [Part(module)]


class Remembers(wiring.Component):
    """Sixteen words of eight bits beside a `Redundant`."""

    a: In(4)
    i: In(8)
    o: Out(8)
    p: Out(1)

    def elaborate(self, platform: object) -> Module:
        m = Module()
        m.submodules.inner = inner = Redundant()
        m.d.comb += [inner.a.eq(self.a[0]), inner.b.eq(self.a[1]), self.p.eq(inner.o)]
        m.submodules.memory = words = memory.Memory(shape=8, depth=16, init=[])
        write, read = words.write_port(), words.read_port()
        m.d.comb += [write.addr.eq(self.a), write.data.eq(self.i), write.en.eq(1)]
        m.d.comb += [read.addr.eq(self.a), read.en.eq(1), self.o.eq(read.data)]
        return m


class Around(wiring.Component):
    """A `Remembers` whose address is a | (a & i), and whose word is masked."""

    a: In(4)
    i: In(8)
    o: Out(8)

    def elaborate(self, platform: object) -> Module:
        m = Module()
        m.submodules.inner = inner = Remembers()
        both = Signal(4)
        m.d.comb += [both.eq(self.a & self.i[:4]), inner.a.eq(self.a | both)]
        m.d.comb += [inner.i.eq(self.i), self.o.eq(inner.o ^ self.a)]
        return m


def test_memories_are_measured_whatever_the_order_of_their_parameters(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    found, module = netlist(Remembers(), "remembers").rtlil, "remembers.inner"
    (size,) = re.findall(r"^ +parameter \\SIZE 16\n", found, re.M)
    first = re.sub(r"(cell \$mem_v2 .*\n)", lambda cell: cell[0] + size, found.replace(size, ""))
    assert first != found
    # and the register inside
    whole, wide = Part("remembers"), Part("remembers", read=True)
    for *most, around in ((129, 1, [Part(module), whole]), (128, 1, [Part(module), wide]), (0, 0, [])):
        for name, bits in zip(("MOST_BITS", "MOST_REGISTERS"), most, strict=True):
            monkeypatch.setattr(equivalence, name, bits)
        assert [parts(one, module) for one in (found, first)] == [around, around]
    with pytest.raises(AssertionError, match="1 memories"):
        parts(found.replace(size, ""), module)


def test_own_cells_are_compared_at_what_is_inside() -> None:
    """In a | (a & i) it does not show that a & i is 0, nor that it is a; that it is inverted does."""
    made = netlist(Around(), "around")
    assert parts(made.rtlil, "around") == [Part("around", own=True), Part("around")]
    body = re.split(r"^module .around$", made.rtlil, flags=re.M)[1]
    (cell,) = re.findall(r"^  cell \$or (\S+)", body, re.M)
    (kept,) = re.findall(r"^  cell \$and (\S+)", body, re.M)
    mutants = [
        Mutant(n, mode, Site("around", at, port, 0, 4, "", ""))
        for n, (mode, at, port) in enumerate(
            (("const0", cell, "B"), ("inv", cell, "Y"), ("inv", kept, "Y"), ("const1", kept, "B")), 1
        )
    ]
    graph = Graph(mutated(made, mutants), Part("around", own=True))
    assert [graph.equivalent(mutant.number) for mutant in mutants] == [True, False, False, True]


class Looks(wiring.Component):
    """Looks words up and shows each once, and the one that was looked up last."""

    look: In(1)
    put: In(1)
    a: In(2)
    b: In(2)
    o: Out(2)
    p: Out(2)

    def elaborate(self, platform: object) -> Module:
        m = Module()
        m.submodules.words = words = memory.Memory(shape=2, depth=4, init=[])
        write, once, last = words.write_port(), words.read_port(), words.read_port()
        looked, ever = Signal(), Signal()
        m.d.sync += [looked.eq(self.look), ever.eq(ever | self.look)]
        m.d.comb += [
            write.addr.eq(self.a), write.en.eq(self.put), write.data.eq(Mux(self.put, self.b, self.a)),
            once.addr.eq(Mux(self.look, self.a, self.b)), once.en.eq(1), self.o.eq(Mux(looked, once.data, 0)),
            last.addr.eq(Mux(self.look, self.b, self.a)), last.en.eq(self.look),
            self.p.eq(Mux(ever, last.data, 0)),
        ]  # fmt: skip
        return m


@pytest.mark.parametrize("part", [Part("looks"), Part("looks", read=True), Part("looks", own=True)])
def test_what_is_read_shows_only_where_it_is_looked_at(part: Part) -> None:
    """A fault at the side of a choice that is written, or read and shown; or at the other side."""
    made = netlist(Looks(), "looks")
    muxes = re.findall(r"^  cell \$mux (\S+)$(.*?)^  end$", made.rtlil, re.M | re.S)
    chosen = [cell for cell, pins in muxes if re.search(r"connect .S .(look|put)$", pins, re.M)]
    mutants = [
        Mutant(n, "inv", Site("looks", cell, port, 1, 2, "", ""))
        for n, (cell, port) in enumerate(itertools.product(chosen, "AB"), 1)
    ]
    graph = Graph(mutated(made, mutants), part)
    assert [graph.equivalent(mutant.number) for mutant in mutants] == [True, False] * 3


class Given(wiring.Component):
    """A memory, with something between every input and what the memory is given."""

    go: In(1)
    put: In(1)
    a: In(2)
    b: In(2)
    o: Out(2)
    p: Out(2)

    def elaborate(self, platform: object) -> Module:
        m = Module()
        m.submodules.words = words = memory.Memory(shape=2, depth=4, init=[])
        write, clocked, at_once = words.write_port(), words.read_port(), words.read_port(domain="comb")
        m.d.comb += [
            write.en.eq(self.go & self.put), write.addr.eq(self.a ^ self.b), write.data.eq(self.a | self.b),
            clocked.en.eq(self.go | self.put), clocked.addr.eq(self.a & self.b), self.o.eq(clocked.data),
            at_once.addr.eq(self.a + self.b), self.p.eq(at_once.data),
        ]  # fmt: skip
        return m


@pytest.mark.parametrize("part", [Part("given"), Part("given", read=True), Part("given", own=True)])
def test_all_that_a_memory_is_given_shows(part: Part) -> None:
    """Enables, addresses and data, of ports with a clock and without."""
    made = netlist(Given(), "given")
    cells = re.findall(r"^  cell \$(and|or|xor|add) (\S+)", made.rtlil, re.M)
    assert sorted(kind for kind, _ in cells) == ["add", "and", "and", "or", "or", "xor"]
    mutants = [
        Mutant(n, "inv", Site("given", cell, "Y", 0, 1, "", "")) for n, (_, cell) in enumerate(cells, 1)
    ]
    graph = Graph(mutated(made, mutants), part)
    assert [mutant.site.cell for mutant in mutants if graph.equivalent(mutant.number)] == []
