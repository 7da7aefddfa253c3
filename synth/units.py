"""Where the resources of a design are: by unit, from a synthesis that keeps the hierarchy.

Units are optimised one by one here, so their sum is some percent more than the flat design.
"""

import json
import re
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import asdict
from pathlib import Path

from synth import commands
from synth.boards import Board
from synth.netlist import count, read_cells
from synth.tools import Tool, run_tool

# Unit by the place of a module below the top; the first pattern that matches decides
CORE = r"top\.link\.component"
UNITS = (
    ("link", r"top\.link(?!\.component)"),
    ("board", r"top(?!\.link)"),
    ("lanes", CORE + r"\.cluster_\d+\.(score|trace|ramp|context|winner)_\d+"),
    ("winner search", CORE + r"(\.cluster_\d+)?\.winner(?!_heads)"),
    ("trees", CORE + r"\.cluster_\d+\.adder_tree"),
    ("memories", CORE + r"(\.cluster_\d+\.(keys|values)|\.(query|context)_rows)"),
    ("clusters", CORE + r"\.cluster_\d+"),
    ("output", CORE + r"\.(threshold|encoder)(?!_heads)"),
    ("control", CORE),
)
SHOWN = ("lut4", "flip_flops", "block_rams")
SCRIPT, STATISTICS, NETLIST, RESULT = "units.ys", "units-cells.json", "units-netlist.json", "units.json"

Units = dict[str, dict[str, int]]


def unit_of(module: str) -> str:
    """Unit of a module, by its name in the netlist.

    Raises:
        ValueError: the module is none of a design with a link.
    """
    for unit, pattern in UNITS:
        if re.match(pattern, module):
            return unit
    raise ValueError(f"{module} is in no unit")


def by_unit(modules: Mapping[str, Mapping[str, int]], board: Board) -> Units:
    """Resources of each unit: lut4, flip_flops, block_rams.

    Args:
        modules: cells by type of every module, other modules among them.
    """
    cells: dict[str, Counter[str]] = {unit: Counter() for unit, _ in UNITS}

    def visit(module: str, times: int) -> None:
        for cell, number in modules[module].items():
            if cell in modules:
                visit(cell, times * number)
            else:
                cells[unit_of(module)][cell] += times * number

    visit(commands.TOP, 1)
    needs = {unit: asdict(count(found, board.family)) for unit, found in cells.items()}
    return {unit: {name: need[name] for name in SHOWN} for unit, need in needs.items()}


def measure_units(
    directory: Path,
    board: Board,
    tools: Mapping[str, Tool],
    heartbeat: Callable[[float], None] | None = None,
) -> Units:
    """Resources of each unit of the design in a build directory; kept there.

    Raises:
        ToolError: synthesis failed.
    """
    result = directory / RESULT
    if not result.exists():
        built = (directory / f"{commands.TOP}.ys").read_text()
        dsp = f"{board.family.multiplying} -top" in built
        options = f"-noflatten -json {NETLIST}"
        script = commands.synthesis_script(board.family, options, STATISTICS, dsp=dsp)
        (directory / SCRIPT).write_text(script)
        run_tool(tools["yosys"], (SCRIPT,), directory, directory / "units.log", heartbeat)
        found = by_unit(read_cells(directory / STATISTICS, directory / NETLIST, board.family), board)
        result.write_text(json.dumps(found, indent=2) + "\n")
    units: Units = json.loads(result.read_text())
    return units
