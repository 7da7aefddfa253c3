"""What the tests of the flow build, and with what."""

import json
from dataclasses import dataclass
from pathlib import Path

from amaranth.hdl import Module
from amaranth.lib import stream, wiring
from amaranth.lib.wiring import In, Out, connect, flipped


class Echo(wiring.Component):
    """Gives back what it is given."""

    i: In(stream.Signature(8))
    o: Out(stream.Signature(8))

    def elaborate(self, platform: object) -> Module:
        m = Module()
        connect(m, flipped(self.i), flipped(self.o))
        return m


@dataclass
class StandIns:
    """Shell scripts named like the tools for the iCE40; each notes that it ran.

    Attributes:
        folder: where they are.
    """

    folder: Path

    def write(self, name: str, body: str) -> None:
        path = self.folder / name
        path.write_text(
            f'#!/bin/sh\nif [ "$1" = --version ]; then echo "{name} 1.0"; exit; fi\n'
            f"echo {name} >> {self.folder}/ran\n{body}\n"
        )
        path.chmod(0o755)

    def answer(self, *, luts: int = 100, megahertz: float = 30.0) -> None:
        """Tools that succeed: a netlist of so many LUTs, placed and routed at that clock."""
        pins = ("I1", "I2", "I3")
        lut = {
            "type": "SB_LUT4",
            "port_directions": dict.fromkeys(pins, "input"),
            "connections": {pin: [1] for pin in pins},
        }
        cells = {f"lut_{number}": lut for number in range(luts)}
        netlist = {"modules": {"top": {"attributes": {"top": "1"}, "ports": {}, "cells": cells}}}
        timing = {"fmax": {"clk": {"achieved": megahertz}}, "critical_paths": []}
        (self.folder / "netlist.json").write_text(json.dumps(netlist))
        self.write("yosys", f"cp {self.folder}/netlist.json top.json")
        placed = {"modules": {"top": {"cells": {}}}}
        said = f"echo '{json.dumps(timing)}' > timing.json; echo '{json.dumps(placed)}' > top.placed.json"
        self.write("nextpnr-ice40", f"{said}; echo placed > top.asc")
        self.write("icepack", 'cp "$1" "$2"')

    @property
    def ran(self) -> list[str]:
        """Tools in the order in which they ran."""
        path = self.folder / "ran"
        return path.read_text().split() if path.exists() else []
