"""The netlist of a component, its places for a fault, and one Verilog text that holds many mutants.

Yosys makes the netlist of the design as Amaranth gives it, module by module, freed of what nothing reads, and
its `mutate` puts in every mutant, switched on by a number at the input SELECT: the whole is compiled once.
"""

import json
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from amaranth.back import rtlil
from amaranth.lib import wiring

import hw
from hw.export.verilog import Manifest, PlainPort, export
from sim.verilator.cache import digest
from tests.mutation.forms import forms, path

HW = Path(hw.__file__).parent
SELECT = "mutant"

# Cells that are no hardware, and ports that are no function of the design
SKIPPED_CELLS = ("$check", "$print")
CLOCKS = ("CLK", "RD_CLK", "WR_CLK")

REDUCE = """
read_rtlil design.il
hierarchy -top {top}
proc
memory_collect
pmuxtree
opt_hier
opt_expr
opt_clean
setundef -zero
opt_hier
wreduce -memx
opt_expr
opt_clean
setundef -zero
opt_hier
opt_clean
setundef -zero
{split}
write_rtlil netlist.il
write_json netlist.json
flatten
delete t:$scopeinfo
write_json flat.json
"""
# Bits of a register or a multiplexer that nothing reads go, then those that only these read, and so on. What
# nothing drives any more becomes 0: Yosys would compare what two such bits are at the start
SPLIT = "splitcells\nopt_clean\nopt_hier\nopt_clean\nsetundef -zero\n" * 3
# Flat vectors of which one bit feeds another; Verilator may take its time with them
QUIET = "/* verilator lint_off UNOPTFLAT */\n"
RUN = "from pyosys import libyosys; libyosys.run_pass('script run.ys')"


class ToolError(Exception):
    """A tool ended with an error."""


@dataclass(frozen=True)
class Site:
    """A bit of a port of a cell; `file` and `line` of hw/ where its component, and it itself, are written;
    `form`: the cell without its names (`tests.mutation.forms`)."""

    module: str
    cell: str
    port: str
    bit: int
    width: int
    file: str
    line: str
    form: str = ""


@dataclass(frozen=True)
class Netlist:
    """`rtlil` of a module and its manifest, the `sites` in it, and the `form` of the whole."""

    rtlil: str
    manifest: Manifest
    sites: tuple[Site, ...]
    form: str


def run_script(script: str, files: dict[str, str], results: Sequence[str]) -> dict[str, str]:
    """Run a script of Yosys in a folder of its own; `results` are the files it writes, by name.

    Raises:
        ToolError: Yosys failed.
    """
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for file, text in (files | {"run.ys": script}).items():
            (folder / file).write_text(text)
        ran = subprocess.run([sys.executable, "-c", RUN], cwd=folder, capture_output=True, text=True)
        if ran.returncode:
            raise ToolError(f"Yosys ended with {ran.returncode}: {(ran.stdout + ran.stderr)[-2000:]}")
        return {file: (folder / file).read_text() for file in results}


def netlist(component: wiring.Component, name: str) -> Netlist:
    """Netlist of a fresh component as the module `name`."""
    manifest, design = _design(component, name)
    files = ("netlist.il", "netlist.json", "flat.json")
    found = run_script(REDUCE.format(top=name, split=SPLIT), {"design.il": design}, files)
    cells, ports = forms(json.loads(found["flat.json"])["modules"][name])
    sites = _sites(json.loads(found["netlist.json"])["modules"], cells)
    return Netlist(found["netlist.il"], manifest, tuple(sites), digest([*sorted(cells.values()), *ports]))


def _design(component: wiring.Component, name: str) -> tuple[Manifest, str]:
    """The manifest of the export, and the design as RTLIL with its places in the source."""
    kept: list[str] = []
    convert = rtlil.convert_fragment

    def keeping(design: Any, **how: Any) -> Any:
        kept.append(convert(design, **how | {"emit_src": True})[0])
        return convert(design, **how)

    rtlil.convert_fragment = keeping
    try:
        _, manifest = export(component, name)
    finally:
        rtlil.convert_fragment = convert
    return manifest, kept[0]


def _sites(modules: dict[str, Any], cells: dict[str, str]) -> Iterator[Site]:
    for module, parts in modules.items():
        file = _written(modules, module)
        for cell, found in parts["cells"].items():
            if not file or found["type"] in SKIPPED_CELLS or found["type"] in modules:
                continue
            line = _place(found["attributes"].get("src", ""))
            form = cells[path(f"{module}.{cell}".partition(".")[2])]
            for port, bits in found["connections"].items():
                for bit, net in enumerate(bits if port not in CLOCKS else ()):
                    if isinstance(net, int):
                        yield Site(module, cell, port, bit, len(bits), file, line, form)


def _place(source: str) -> str:
    """FILE:LINE of hw/ in a source attribute; "" where there is none."""
    for part in source.split("|"):
        path = Path(part)
        if path.is_relative_to(HW):
            return str(path.relative_to(HW))
    return ""


def _written(modules: dict[str, Any], module: str) -> str:
    """The file of hw/ that holds the innermost component around a module; "" where none does."""
    while module:
        if place := _place(modules.get(module, {"attributes": {}})["attributes"].get("src", "")):
            return place.split(":")[0]
        module = module.rpartition(".")[0]
    return ""


@dataclass(frozen=True)
class Mutant:
    """A fault at a site: the bit is inverted, stuck, or inverted while its neighbour `control` is 0 or 1.

    Attributes:
        number: that switches it on; 0 is the sound design.
        mode: inv, const0, const1, cnot0 or cnot1 of Yosys.
    """

    number: int
    mode: str
    site: Site
    control: int = 0

    @property
    def command(self) -> str:
        site = self.site
        where = f"-module {site.module} -cell {site.cell} -port {site.port} -portbit {site.bit}"
        how = f" -ctrlbit {self.control}" if self.mode.startswith("cnot") else ""
        return f"mutate -mode {self.mode} {where}{how}"

    @property
    def place(self) -> str:
        """What it is known by in its netlist, whatever the names."""
        return f"{self.mode} {self.control} at {self.site.form} {self.site.port}[{self.site.bit}]"

    def __str__(self) -> str:
        site = self.site
        mode = f"{self.mode} by bit {self.control}" if self.mode.startswith("cnot") else self.mode
        return f"{site.line or site.file}: {mode} at {site.module} {site.cell} {site.port}[{site.bit}]"


@dataclass(frozen=True)
class Mutated:
    """Many mutants of one netlist: RTLIL and Verilog with the input SELECT, and the manifest."""

    rtlil: str
    verilog: str
    manifest: Manifest


def mutated(sound: Netlist, mutants: Sequence[Mutant]) -> Mutated:
    """Put the mutants into a netlist."""
    width = _width(mutants)
    script = ["read_rtlil netlist.il"]
    script += [f"{mutant.command} -ctrl {SELECT} {width} {mutant.number}" for mutant in mutants]
    script += ["opt_clean", "write_rtlil mutated.il", "write_verilog -norename -noattr mutated.v"]
    found = run_script("\n".join(script), {"netlist.il": sound.rtlil}, ("mutated.il", "mutated.v"))
    return Mutated(found["mutated.il"], QUIET + found["mutated.v"], selected(sound.manifest, mutants))


def selected(manifest: Manifest, mutants: Sequence[Mutant]) -> Manifest:
    """The manifest with the input SELECT."""
    select = PlainPort(name=SELECT, direction="in", width=_width(mutants), signed=False)
    return replace(manifest, ports=(*manifest.ports, select))


def _width(mutants: Sequence[Mutant]) -> int:
    return max(mutant.number for mutant in mutants).bit_length()
