"""What a proof may rely on: that counts exactly as far as it says, and what breaks it still shows."""

import re
from functools import partial

import pytest
from amaranth.hdl import Cat, Module, Signal
from amaranth.lib import data, memory, stream, wiring
from amaranth.lib.wiring import In, Out

from hw.attention.head_queue import fork_heads
from hw.attention.output_threshold import OutputThreshold
from hw.integer.score_sequencer import ScoreSequencer
from hw.network.drain import Drain
from hw.network.neuron_cluster import NeuronCluster
from tests.hw.attention.core_cases import CORES
from tests.hw.integer import test_integer_core
from tests.hw.network.random_cores import SMALL, random_core
from tests.mutation import contracts
from tests.mutation.contracts import Contract
from tests.mutation.equivalence import Graph, Part
from tests.mutation.netlist import Mutant, Site, mutated, netlist


class Reaches(wiring.Component):
    """A register that says whether a number, while it is there, is 8 at least, or 0."""

    go: In(1)
    i: In(4)
    o: Out(1)
    p: Out(1)

    def elaborate(self, platform: object) -> Module:
        m = Module()
        with m.If(self.go):
            m.d.sync += [self.o.eq(self.i >= 8), self.p.eq(~self.i.any())]
        return m


@pytest.mark.parametrize(
    ("contract", "wanted"),
    [
        (None, {"o": False, "p": False}),
        ({"most": 15}, {"o": False, "p": False}),
        ({"most": 8}, {"o": False, "p": False}),
        ({"most": 7}, {"o": True, "p": False}),
        ({"most": 7, "least": 1}, {"o": True, "p": True}),
        ({"most": 15, "least": 1}, {"o": False, "p": True}),
        ({"values": frozenset({0, 3, 7})}, {"o": True, "p": False}),
        ({"values": frozenset({3, 9})}, {"o": False, "p": True}),
        # that of another module, or of another port
        ({"most": 7, "module": "reach"}, {"o": False, "p": False}),
        ({"most": 7, "port": "j"}, {"o": False, "p": False}),
        # not only while the register looks
        ({"most": 7, "on": "go"}, {"o": True, "p": False}),
    ],
)
def test_numbers_may_be_what_a_contract_says(contract: dict | None, wanted: dict[str, bool]) -> None:
    """That a register is always 0 shows exactly if a number that is allowed sets it."""
    made = netlist(Reaches(), "reaches")
    registers = re.findall(
        r"^  cell \$dff (\S+)$(?:.(?!^  end))*?connect .Q .([op])$", made.rtlil, re.M | re.S
    )
    mutants = [
        Mutant(n, "const0", Site("reaches", cell, "D", 0, 1, "", ""))
        for n, (cell, _) in enumerate(registers, 1)
    ]
    given = (
        [Contract(**{"module": "reaches", "port": "i", "first": 0, "width": 4} | contract)]
        if contract
        else []
    )
    graph = Graph(mutated(made, mutants), Part("reaches"), given)
    found = {name: graph.equivalent(n) for n, (_, name) in enumerate(registers, 1)}
    assert found == wanted


class Keeps(wiring.Component):
    """Words of two bits, which are written behind a register, and read."""

    put: In(1)
    a: In(2)
    i: In(2)
    o: Out(2)

    def elaborate(self, platform: object) -> Module:
        m = Module()
        m.submodules.words = words = memory.Memory(shape=2, depth=4, init=[])
        write, read = words.write_port(), words.read_port()
        late = Signal(2)
        m.d.sync += late.eq(self.i)
        m.d.comb += [write.addr.eq(self.a), write.data.eq(late), write.en.eq(self.put)]
        m.d.comb += [read.addr.eq(self.a), self.o.eq(read.data)]
        return m


def test_what_is_only_ever_0_in_a_memory_need_not_be_written() -> None:
    """Another bit must, and nothing else may be."""
    made = netlist(Keeps(), "keeps")
    (cell,) = re.findall(r"^  cell \$mem_v2 (\S+)", made.rtlil, re.M)
    name = cell.lstrip("\\")
    faults = [
        (mode, port, bit) for mode in ("const0", "inv") for port in ("WR_DATA", "WR_EN") for bit in (0, 1)
    ]
    mutants = [
        Mutant(n, mode, Site("keeps", cell, port, bit, 2, "", ""))
        for n, (mode, port, bit) in enumerate(faults, 1)
    ]
    zero = (
        Contract("keeps", f"{name}.RD_DATA", 0, 1),
        Contract("keeps", f"{name}.WR_DATA", 0, 1, on=f"{name}.WR_EN[0]"),
    )
    design = mutated(made, mutants)
    for given, wanted in ((), set()), (zero, {("const0", "WR_DATA", 0), ("const0", "WR_EN", 0)}):
        graph = Graph(design, Part("keeps", own=True), given)
        same = {fault for n, fault in enumerate(faults, 1) if graph.equivalent(n)}
        assert same == wanted


class Ends(wiring.Component):
    """A unit that ends a head whenever it is told to."""

    i_head: In(stream.Signature(data.StructLayout({"tokens": 2})))
    end: In(1)
    o: Out(2)

    def elaborate(self, platform: object) -> Module:
        m = Module()
        m.d.comb += [self.i_head.ready.eq(self.end), self.o.eq(self.i_head.payload.tokens)]
        return m


class Forks(wiring.Component):
    """Two units with a queue of heads each."""

    i_head: In(stream.Signature(data.StructLayout({"tokens": 2})))
    end: In(2)
    o: Out(4)

    def elaborate(self, platform: object) -> Module:
        m = Module()
        units = {"score": Ends(), "threshold": Ends()}
        fork_heads(m, self.i_head, units, 4)
        m.submodules += units.values()
        m.d.comb += [unit.end.eq(end) for unit, end in zip(units.values(), self.end, strict=True)]
        m.d.comb += self.o.eq(Cat(unit.o for unit in units.values()))
        return m


def test_the_queue_of_a_unit_that_ends_heads_earlier_has_room() -> None:
    """Whether the other one has room still shows; and without the contract both do."""
    made = netlist(Forks(), "forks")
    (body,) = re.findall(r"^module \\forks$.*?^end$", made.rtlil, re.M | re.S)
    (cell,) = re.findall(r"^  cell \$reduce_and (\S+)$", body, re.M)
    mutants = [Mutant(n, "const1", Site("forks", cell, "A", n - 1, 2, "", "")) for n in (1, 2)]
    design = mutated(made, mutants)
    for given, wanted in (((), [False, False]), (contracts.heads("threshold", "score"), [True, False])):
        graph = Graph(design, Part("forks", own=True), given)
        assert [graph.equivalent(n) for n in (1, 2)] == wanted


class Starts(wiring.Component):
    """A register that stays what it starts with, in a way that no netlist is simplified for."""

    a: In(1)
    o: Out(1)

    def __init__(self, start: int) -> None:
        self._start = start
        super().__init__()

    def elaborate(self, platform: object) -> Module:
        m = Module()
        kept = Signal(init=self._start, reset_less=True)
        m.d.sync += kept.eq(kept | self.a if self._start else kept & self.a)
        m.d.comb += self.o.eq(kept)
        return m


@pytest.mark.parametrize(("start", "wanted"), [(0, {"const0"}), (1, set())])
def test_a_fault_behind_a_register_does_not_change_what_it_starts_with(start: int, wanted: set[str]) -> None:
    """Where one starts with a 1, nothing is said."""
    made = netlist(Starts(start), "starts")
    (cell,) = re.findall(r"^  cell \$dff (\S+)", made.rtlil, re.M)
    mutants = [
        Mutant(n, mode, Site("starts", cell, "Q", 0, 1, "", ""))
        for n, mode in enumerate(("const0", "const1"), 1)
    ]
    graph = Graph(mutated(made, mutants), Part("starts"))
    assert {mutant.mode for mutant in mutants if graph.equivalent(mutant.number)} == wanted


NETWORK, HEADS, INTEGERS = random_core(18, SMALL).config, CORES["two-groups"], test_integer_core.SMALL
UNITS = {
    "cluster_0": (partial(NeuronCluster, NETWORK, 0), contracts.network(NETWORK), {"i", "i_sums"}),
    "drain": (partial(Drain, NETWORK), contracts.network(NETWORK), {"i_sums"}),
    "threshold": (
        partial(OutputThreshold, HEADS), contracts.attention(HEADS), {"i__payload", "i_head__payload"},
    ),
    "score_sequencer": (
        partial(ScoreSequencer, INTEGERS), contracts.integer(INTEGERS), {"i_head__payload"},
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", UNITS)
def test_contracts_name_ports_that_are_there(name: str) -> None:
    """What names nothing nobody would rely on."""
    unit, given, wanted = UNITS[name]
    made = netlist(unit(), name)
    ports = _ports(made.rtlil, name)
    bits = {f"{port}[{n}]" for port, width in ports for n in range(width)} | {port for port, _ in ports}
    assert {one.port for one in given if one.of(f"core.{name}", dict.fromkeys(bits, 0))} == wanted


def _ports(rtlil: str, module: str) -> list[tuple[str, int]]:
    body = re.split(rf"^module .{module}$", rtlil, flags=re.M)[1].partition("\nend\n")[0]
    found = re.findall(r"^  wire (?:width (\d+) )?(?:input|output) \d+ \\(\S+)$", body, re.M)
    return [(name, int(width or 1)) for width, name in found]
