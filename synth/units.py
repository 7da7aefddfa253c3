"""Where the resources and the places of a design are: by unit, by the names of the cells of its flat netlist.

A cell is named after the net that it drives, so what units share counts where its output is named.
"""

import json
import re
from collections import Counter
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from synth.families import Family
from synth.netlist import count

CORE = r"link\.component\."
AROUND = (("link", r"link(?!\.component)"), ("board", r"(?!link)"))
# Units of the attention core; the first pattern that matches decides
ATTENTION = (
    *AROUND,
    ("lanes", CORE + r"cluster_\d+\.(score|trace|ramp)_\d+"),
    ("winner search", CORE + r"(cluster_\d+\.)?winner(?!_heads)"),
    ("trees", CORE + r"cluster_\d+\.adder_tree"),
    ("memories", CORE + r"(cluster_\d+\.(keys|values)|(query|context)_rows)"),
    ("clusters", CORE + r"cluster_\d+"),
    ("output", CORE + r"(threshold|encoder)(?!_heads)"),
)
LANE = re.compile(CORE + r"cluster_\d+\.score_\d+")
# Units of other cores are their parts, those that are numbered together
PART = re.compile(CORE + r"([a-z]\w*?)(?:_\d+)?\.")
REST = "control"
SHOWN = ("lut4", "flip_flops", "block_rams")

Units = dict[str, dict[str, int]]
Die = dict[str, list[tuple[int, int]]]


def unit_of(cell: str, *, attention: bool) -> str:
    """Unit of a cell, by its name.

    Args:
        attention: it is of an attention core with its link, otherwise of another component's.
    """
    for unit, pattern in ATTENTION if attention else AROUND:
        if re.match(pattern, cell):
            return unit
    part = None if attention else PART.match(cell)
    return REST if part is None else part[1].replace("_", " ")


def units_of(cells: Iterable[str]) -> dict[str, str]:
    """Units of cells by their names, in the order of the units of an attention core."""
    names = list(cells)
    attention = any(LANE.match(name) for name in names)
    found = {name: unit_of(name, attention=attention) for name in names}
    order = [unit for unit, _ in ATTENTION]
    return dict(
        sorted(found.items(), key=lambda pair: (order.index(pair[1]) if pair[1] in order else 9, pair[1]))
    )


def by_unit(cells: Mapping[str, Mapping[str, Any]], family: Family) -> Units:
    """Resources of each unit: lut4, flip_flops, block_rams.

    Args:
        cells: of a flat netlist, by name, as Yosys writes them.
    """
    kinds: dict[str, Counter[str]] = {}
    for name, unit in units_of(cells).items():
        kinds.setdefault(unit, Counter())[cells[name]["type"]] += 1
    needs = {unit: count(found, family) for unit, found in kinds.items()}
    found = {unit: {name: getattr(need, name) for name in SHOWN} for unit, need in needs.items()}
    return {unit: need for unit, need in found.items() if any(need.values())}


def die(placed: Path) -> Die:
    """Columns and rows of the cells of each unit, from what nextpnr writes of a placed design."""
    (top,) = json.loads(placed.read_text())["modules"].values()
    places: Die = {}
    # what begins so is nextpnr's own, such as a cell through which a carry comes out
    named = (name for name in top["cells"] if not name.startswith("$"))
    for name, unit in units_of(named).items():
        place = re.match(r"X(\d+)/?Y(\d+)/", top["cells"][name]["attributes"].get("NEXTPNR_BEL", ""))
        if place is not None:
            places.setdefault(unit, []).append((int(place[1]), int(place[2])))
    return places
