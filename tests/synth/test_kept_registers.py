"""Registers that are to stay apart do, from RTLIL as from Verilog."""

from itertools import pairwise
from pathlib import Path

import pytest
from amaranth.back import rtlil
from amaranth.hdl import Module, Signal
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from hw.export.verilog import export
from hw.parts.register import KEPT
from synth.commands import KEPT as COMMANDS
from tests.yosys import yosys

UNITS, DELAY = 3, 2


class Row(wiring.Component):
    """Units that pass a bit on a cycle later, and have it themselves `DELAY` cycles after that."""

    i: In(1)
    o: Out(UNITS)

    def __init__(self, attributes: dict[str, object]) -> None:
        super().__init__()
        self._attributes = attributes

    def elaborate(self, platform: object) -> Module:
        m = Module()
        passed = self.i
        for n in range(UNITS):
            bits = [Signal(name=f"bit_{n}_{cycle}", attrs=self._attributes) for cycle in range(DELAY + 1)]
            m.d.sync += [bit.eq(before) for before, bit in pairwise([passed, *bits])]
            m.d.comb += self.o[n].eq(bits[-1])
            passed = bits[0]
        return m


@pytest.mark.parametrize("kept", [True, False])
@pytest.mark.parametrize("form", ["rtlil", "verilog"])
def test_kept_registers_are_not_those_of_the_units_behind(form: str, kept: bool, tmp_path: Path) -> None:
    row = Row(dict(KEPT) if kept else {})
    if form == "rtlil":
        (tmp_path / "row.il").write_text(rtlil.convert(row, name="row"))
        begin = ("read_rtlil row.il", "proc")
    else:
        (tmp_path / "row.v").write_text(export(row, "row")[0])
        begin = ("read_verilog row.v", "proc")
    registers = UNITS * (DELAY + 1) if kept else UNITS + DELAY
    count = f"select -assert-count {registers} t:*dff*"
    done = yosys("; ".join((*begin, *COMMANDS, "flatten", "opt", count)), tmp_path)
    assert done.returncode == 0, (done.stdout + done.stderr)[-500:]
