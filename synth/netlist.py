"""Resources of a netlist as Yosys writes it."""

import json
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from synth import carry_cells, output_registers
from synth.families import Family


@dataclass(frozen=True, kw_only=True)
class Resources:
    """What a netlist needs.

    Attributes:
        lut4: LUT4-equivalents; a carry cell of the ECP5 counts as two.
        flip_flops, block_rams, dsps: cells.
        logic_cells: places of the device for LUTs that all this takes. Where a flip-flop can only be fed
            by the LUT in front of it, one that is fed by anything else takes a place of its own.
    """

    lut4: int
    flip_flops: int
    block_rams: int
    dsps: int
    logic_cells: int


def count(cells: Mapping[str, int], family: Family, lone_cells: int = 0) -> Resources:
    """Resources of a table of cells by type.

    Args:
        lone_cells: as `count_lone` finds them.
    """

    def total(prefixes: tuple[str, ...]) -> int:
        return sum(number for cell, number in cells.items() if cell.startswith(prefixes))

    lut4 = sum(number * family.lut4_cells.get(cell, 0) for cell, number in cells.items())
    return Resources(
        lut4=lut4,
        logic_cells=lut4 + lone_cells,
        flip_flops=total(family.flip_flops),
        block_rams=total(family.block_rams),
        dsps=total(family.dsps),
    )


def resources_of(top: Mapping[str, Any], family: Family) -> Resources:
    """Resources of a flat top module."""
    cells = Counter(cell["type"] for cell in top["cells"].values())
    return count(cells, family, count_lone(top, family))


def count_lone(top: Mapping[str, Any], family: Family) -> int:
    """Flip-flops and carries that take a logic cell of their own, of a flat top module.

    A flip-flop shares the cell of the LUT that feeds it and nothing else; a carry of the iCE40 that of the
    LUT with the same operands. What place and route adds where a chain of carries begins or ends, some
    1 to 2 % of the cells, is not in it.
    """
    if not family.shared_cells:
        return 0
    readers: Counter[int] = Counter()
    sources: dict[int, str] = {}
    sums = set()
    for cell in top["cells"].values():
        for port, bits in cell["connections"].items():
            if cell["port_directions"][port] == "input":
                readers.update(bits)
            else:
                sources |= dict.fromkeys(bits, cell["type"])
        if cell["type"] == "SB_LUT4":
            sums.add(_nets(cell, "I1", "I2", "I3"))
    for port in top["ports"].values():
        readers.update(port["bits"])
    lone = 0
    for cell in top["cells"].values():
        if cell["type"].startswith(family.flip_flops):
            (data,) = cell["connections"]["D"]
            lone += sources.get(data) not in family.lut4_cells or readers[data] > 1
        elif cell["type"] == "SB_CARRY":
            lone += _nets(cell, "I0", "I1", "CI") not in sums
    return lone


def read_top(netlist: Path) -> dict[str, Any]:
    """The top module of a netlist's JSON."""
    modules: dict[str, dict[str, Any]] = json.loads(netlist.read_text())["modules"]
    (top,) = (module for module in modules.values() if int(module["attributes"].get("top", "0"), 2))
    return top


def _nets(cell: Mapping[str, Any], *ports: str) -> tuple[Any, ...]:
    """Nets at ports of one bit; constants, which are strings, all alike."""
    bits = (cell["connections"][port][0] for port in ports)
    return tuple(None if isinstance(bit, str) else bit for bit in bits)


def pack(netlist: Path, family: Family) -> dict[str, Any]:
    """Let carry cells and block RAMs hold what they can (`synth.carry_cells`, `synth.output_registers`), in
    place; the top module, as it is then."""
    if family.packs_cells:
        whole = json.loads(netlist.read_text())
        for module in whole["modules"].values():
            carry_cells.pack(module)
            output_registers.pack(module)
        netlist.write_text(json.dumps(whole))
    return read_top(netlist)
