"""What synthesis is told of memories reaches it, from RTLIL as from Verilog."""

from pathlib import Path

import pytest
from amaranth.back import rtlil
from amaranth.hdl import Cat, Module
from amaranth.lib import wiring
from amaranth.lib.memory import Memory
from amaranth.lib.wiring import In, Out

from hw.export.verilog import export
from hw.parts.memory import NO_COLLISION
from synth.commands import NO_COLLISION as COMMANDS
from tests.yosys import yosys


class Words(wiring.Component):
    """A memory that is read and written."""

    address: In(4)
    data: In(8)
    read: Out(16)

    def __init__(self, attributes: dict[str, object], ports: int) -> None:
        super().__init__()
        self._attributes, self._ports = attributes, ports

    def elaborate(self, platform: object) -> Module:
        m = Module()
        m.submodules.memory = memory = Memory(shape=8, depth=16, init=[], attrs=self._attributes)
        write, reads = memory.write_port(), [memory.read_port() for _ in range(self._ports)]
        m.d.comb += [
            write.en.eq(1),
            write.addr.eq(self.address),
            write.data.eq(self.data),
            *[read.addr.eq(self.data + number) for number, read in enumerate(reads)],
            self.read.eq(Cat(read.data for read in reads)),
        ]
        return m


@pytest.mark.parametrize("ports", [1, 2])
@pytest.mark.parametrize("known", [True, False])
@pytest.mark.parametrize("form", ["rtlil", "verilog"])
def test_collisions_do_not_matter_where_a_memory_says_so(
    form: str, known: bool, ports: int, tmp_path: Path
) -> None:  # fmt: skip
    component = Words(dict(NO_COLLISION) if known else {}, ports)
    if form == "rtlil":
        (tmp_path / "words.il").write_text(rtlil.convert(component, name="words"))
        begin = ("read_rtlil words.il", *COMMANDS)
    else:
        (tmp_path / "words.v").write_text(export(component, "words")[0])
        begin = ("read_verilog words.v", "proc", "opt", "memory_dff", "memory_collect")
    count = f"select -assert-count {int(known)} t:$mem_v2 r:RD_COLLISION_X_MASK={ports}'b{'1' * ports} %i"
    done = yosys("; ".join((*begin, "flatten", count)), tmp_path)
    assert done.returncode == 0, (done.stdout + done.stderr)[-500:]
