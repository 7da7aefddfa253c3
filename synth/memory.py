"""What the memory of streamed weights costs on the main board's ECP5, alone, beside another controller.

python -m synth.memory [LITEDRAM.v]

The file is one that LiteDRAM's generator wrote for the same chip ([docs/memory.md](../docs/memory.md)).
"""

import re
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any

from amaranth.hdl import DomainRenamer

from golden.memory import MemoryConfig
from hw.memory.controller import SdramController
from hw.memory.weights import DOMAIN, WeightMemory
from synth.alone import BOARD, route, synthesise
from synth.commands import NETLIST, TOP, synthesis
from synth.netlist import pack, resources_of
from synth.tools import find_tools, run_tool

CLOCK = 100e6
PLACES = "pins.lpf"
# Pins of the board by their names there and in LiteDRAM's Verilog
PINS = {"dqm": "dm"}


def sites() -> Iterator[str]:
    """Constraints that put LiteDRAM's pins where the board has them; registers at the pads ask for it."""
    resource = BOARD.make_platform().resources["sdram", 0]
    for part in resource.ios:
        if hasattr(part, "ios") and hasattr(part.ios[0], "names"):
            names = part.ios[0].names
            name = f"sdram_{PINS.get(part.name, part.name)}"
            for number, site in enumerate(names):
                element = f"{name}[{number}]" if len(names) > 1 else name
                yield f'LOCATE COMP "{element}" SITE "{site}";'
                yield f'IOBUF PORT "{element}" IO_TYPE=LVCMOS33;'


def litedram(verilog: str, folder: Path) -> dict[str, Any]:
    """Cells of LiteDRAM's core; the netlist stays in the folder."""
    name = re.findall(r"^module (\w+)", verilog, re.M)[0]
    (folder / f"{TOP}.v").write_text(verilog.replace(f"module {name} ", f"module {TOP} "))
    commands = synthesis(BOARD.family, f"-json {NETLIST}")
    script = (f"read_verilog {TOP}.v", f"hierarchy -top {TOP}", "proc", "flatten", *commands)
    (folder / f"{TOP}.ys").write_text("\n".join(script) + "\n")
    run_tool(find_tools(["yosys"])["yosys"], (f"{TOP}.ys",), folder, folder / "synthesise.log")
    (folder / PLACES).write_text("\n".join(sites()) + "\n")
    return asdict(resources_of(pack(folder / NETLIST, BOARD.family), BOARD.family))


def main(files: list[str]) -> None:
    tools = find_tools(("yosys", BOARD.family.place_and_route))
    nextpnr = tools[BOARD.family.place_and_route]
    config = MemoryConfig(clock=CLOCK)
    ours = {
        "controller": SdramController(config),
        "weights in memory": DomainRenamer({DOMAIN: "sync"})(WeightMemory(config)),
    }
    with tempfile.TemporaryDirectory() as scratch:
        for name, component in ours.items():
            folder = Path(scratch) / name
            print(f"{name}: {_line(synthesise(component, {}, folder, tools['yosys']))}", flush=True)
            print(f"    {route(folder, 1, CLOCK / 1e6, nextpnr)['fmax_mhz']} MHz", flush=True)
        for file in files:
            folder = Path(scratch) / "litedram"
            folder.mkdir()
            print(f"LiteDRAM: {_line(litedram(Path(file).read_text(), folder))}", flush=True)
            routed = route(folder, 1, CLOCK / 1e6, nextpnr, PLACES)
            print(f"    {routed['fmax_mhz']} MHz", flush=True)


def _line(cells: dict[str, Any]) -> str:
    return f"{cells['lut4']} LUT4, {cells['flip_flops']} flip-flops, {cells['block_rams']} block RAM"


if __name__ == "__main__":
    main(sys.argv[1:])
