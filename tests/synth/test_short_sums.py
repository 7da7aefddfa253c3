"""Sums of few bits are LUTs where a chain of carries costs more."""

from pathlib import Path

import pytest
from amaranth.back import rtlil
from amaranth.hdl import Module
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from synth.commands import TOP, synthesis_script
from synth.families import FAMILIES
from tests.yosys import yosys


class Sum(wiring.Component):
    """A sum modulo a power of two."""

    def __init__(self, width: int) -> None:
        super().__init__({"a": In(width), "b": In(width), "o": Out(width)})

    def elaborate(self, platform: object) -> Module:
        m = Module()
        m.d.sync += self.o.eq(self.a + self.b)
        return m


@pytest.mark.parametrize(("width", "carries"), [(2, "max 0"), (4, "max 0"), (5, "min 1"), (8, "min 1")])
@pytest.mark.parametrize("dsp", [False, True])
def test_carries_of_a_sum(width: int, carries: str, dsp: bool, tmp_path: Path) -> None:
    (tmp_path / f"{TOP}.il").write_text(rtlil.convert(Sum(width), name=TOP))
    script = synthesis_script(FAMILIES["ice40"], "-json sum.json", dsp=dsp).strip().replace("\n", ";")
    done = yosys(f"{script}; select -assert-{carries} t:SB_CARRY", tmp_path)
    assert done.returncode == 0, (done.stdout + done.stderr)[-500:]
    assert (tmp_path / "sum.json").exists()
