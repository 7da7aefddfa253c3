"""Registers behind block RAMs: which become the block RAM's own, and which do not."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from amaranth.back import rtlil
from amaranth.hdl import Module, Signal
from amaranth.lib import wiring
from amaranth.lib.memory import Memory
from amaranth.lib.wiring import In, Out

from synth.output_registers import pack
from tests.yosys import yosys

Netlist = dict[str, Any]


class Words(wiring.Component):
    """A memory of two words of 18 bits at once, a register behind each."""

    first: In(10)
    second: In(10)
    add: In(18)
    o: Out(18)
    p: Out(18)

    def elaborate(self, platform: object) -> Module:
        m = Module()
        words = [257 * n % (1 << 18) for n in range(1024)]
        m.submodules.memory = memory = Memory(shape=18, depth=1024, init=words, attrs={"ram_style": "block"})
        for port, address, o in (
            (memory.read_port(), self.first, self.o),
            (memory.read_port(), self.second, self.p),
        ):
            behind = Signal(18, reset_less=True)
            m.d.comb += port.addr.eq(address)
            m.d.sync += [behind.eq(port.data), o.eq(behind + self.add)]
        return m


def test_registers_behind_both_ports_are_taken(tmp_path: Path) -> None:
    (tmp_path / "words.il").write_text(rtlil.convert(Words(), name="words"))
    done = yosys("read_rtlil words.il; synth_ecp5 -nodsp -top words -json words.json", tmp_path)
    assert done.returncode == 0, (done.stdout + done.stderr)[-500:]
    module = json.loads((tmp_path / "words.json").read_text())["modules"]["words"]
    memories = [cell for cell in module["cells"].values() if cell["type"] == "DP16KD"]
    before = sum(cell["type"] == "TRELLIS_FF" for cell in module["cells"].values())
    assert pack(module) == 2 * 18 == before - sum(c["type"] == "TRELLIS_FF" for c in module["cells"].values())
    assert {cell["parameters"][f"REGMODE_{port}"] for cell in memories for port in "AB"} == {"OUTREG"}
    assert pack(module) == 0
    driven = [
        bit for cell in memories for name, bits in cell["connections"].items() if "DO" in name for bit in bits
    ]
    read = {
        bit
        for cell in module["cells"].values()
        for name, bits in cell["connections"].items()
        if cell["type"] == "CCU2C" and cell["port_directions"][name] == "input"
        for bit in bits
    }
    assert len(read & set(driven)) == 2 * 18


def netlist() -> Netlist:
    """A block RAM whose port A feeds two flip-flops, nets 10 and 11 to 20 and 21, with clock 1."""
    memory: Netlist = {
        "type": "DP16KD",
        "parameters": {"REGMODE_A": "NOREG", "REGMODE_B": "NOREG", "DATA_WIDTH_B": f"{18:b}"},
        "port_directions": {},
        "connections": {"DOA0": [10], "DOA1": [11], "DOA2": [12], "DOB0": [13]},
    }
    for port in "AB":
        memory["connections"] |= {
            f"CLK{port}": [1],
            f"CE{port}": ["1"],
            f"OCE{port}": ["0"],
            f"RST{port}": ["0"],
        }
    for pin in memory["connections"]:
        memory["port_directions"][pin] = "output" if pin.startswith("DO") else "input"
    cells: Netlist = {"memory": memory} | {f"register_{n}": register(10 + n, 20 + n) for n in range(2)}
    return {"ports": {"o": {"bits": [20, 21]}}, "cells": cells}


def register(data: int, q: int) -> Netlist:
    connections = {"CLK": [1], "DI": [data], "LSR": ["0"], "Q": [q]}
    return {
        "type": "TRELLIS_FF",
        # Yosys puts a space behind text that could be a number
        "parameters": {"CLKMUX": "CLK", "CEMUX": "1 ", "LSRMUX": "LSR", "REGSET": "RESET", "GSR": "DISABLED"},
        "port_directions": {pin: "output" if pin == "Q" else "input" for pin in connections},
        "connections": connections,
    }


def test_outputs_get_the_nets_of_the_registers() -> None:
    module = netlist()
    assert pack(module) == 2
    (memory,) = module["cells"].values()
    assert [memory["connections"][f"DOA{n}"] for n in range(3)] == [[20], [21], [12]]
    assert [memory["parameters"][f"REGMODE_{port}"] for port in "AB"] == ["OUTREG", "NOREG"]
    assert [memory["connections"][f"OCE{port}"] for port in "AB"] == [["1"], ["0"]]


def test_registers_that_move_with_the_memory_are_taken() -> None:
    module = netlist()
    module["cells"]["memory"]["connections"]["CEA"] = [3]
    for n in range(2):
        enabled(module, n)
    assert pack(module) == 2
    assert module["cells"]["memory"]["connections"]["OCEA"] == [3]


def test_a_word_at_both_ports_is_of_the_one_that_reads() -> None:
    """The other is enabled by what is written."""
    module = netlist()
    memory = module["cells"]["memory"]
    memory["parameters"]["DATA_WIDTH_B"] = f"{36:b}"
    memory["connections"]["CEB"] = [3]
    assert pack(module) == 0
    for n in range(2):
        enabled(module, n)
    assert pack(module) == 2
    assert [memory["parameters"][f"REGMODE_{port}"] for port in "AB"] == ["OUTREG", "OUTREG"]
    assert [memory["connections"][f"OCE{port}"] for port in "AB"] == [[3], [3]]


def other_clock(module: Netlist) -> None:
    module["cells"]["register_1"]["connections"]["CLK"] = [2]


def falling_edge(module: Netlist) -> None:
    module["cells"]["register_1"]["parameters"]["CLKMUX"] = "INV"


def enabled(module: Netlist, number: int = 1) -> None:
    cell = module["cells"][f"register_{number}"]
    cell["parameters"]["CEMUX"] = "CE"
    cell["connections"]["CE"] = [3]
    cell["port_directions"]["CE"] = "input"


def inverse_enable(module: Netlist) -> None:
    module["cells"]["memory"]["connections"]["CEA"] = [3]
    for n in range(2):
        enabled(module, n)
        module["cells"][f"register_{n}"]["parameters"]["CEMUX"] = "INV"


def cleared(module: Netlist) -> None:
    module["cells"]["register_1"]["connections"]["LSR"] = [3]


def one_at_first(module: Netlist) -> None:
    module["cells"]["register_1"]["parameters"]["REGSET"] = "SET"


def read_beside(module: Netlist) -> None:
    module["ports"]["p"] = {"bits": [11]}


def two_registers(module: Netlist) -> None:
    module["cells"]["register_2"] = register(11, 22)


def as_an_enable(module: Netlist) -> None:
    module["cells"]["register_1"]["connections"] |= {"DI": [4], "CE": [11]}
    module["cells"]["register_1"]["port_directions"]["CE"] = "input"


def read_at_times(module: Netlist) -> None:
    module["cells"]["memory"]["connections"]["CEA"] = [3]


def cleared_memory(module: Netlist) -> None:
    module["cells"]["memory"]["connections"]["RSTA"] = [3]


@pytest.mark.parametrize(
    "change",
    [
        other_clock,
        falling_edge,
        enabled,
        inverse_enable,
        cleared,
        one_at_first,
        read_beside,
        two_registers,
        as_an_enable,
        read_at_times,
        cleared_memory,
    ],
)
def test_what_is_not_the_same_stays(change: Callable[[Netlist], None]) -> None:
    module = netlist()
    change(module)
    before = json.dumps(module)
    assert pack(module) == 0
    assert json.dumps(module) == before
