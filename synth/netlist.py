"""Resources of a netlist, from the statistics that Yosys writes."""

import json
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from synth.boards import Family


@dataclass(frozen=True, kw_only=True)
class Resources:
    """What a netlist needs.

    Attributes:
        lut4: LUT4-equivalents; a carry cell of the ECP5 counts as two.
        flip_flops, block_rams, dsps: cells.
    """

    lut4: int
    flip_flops: int
    block_rams: int
    dsps: int


def count(cells: Mapping[str, int], family: Family) -> Resources:
    """Resources of a table of cells by type."""

    def total(prefixes: tuple[str, ...]) -> int:
        return sum(number for cell, number in cells.items() if cell.startswith(prefixes))

    return Resources(
        lut4=sum(number * family.lut4_cells.get(cell, 0) for cell, number in cells.items()),
        flip_flops=total(family.flip_flops),
        block_rams=total(family.block_rams),
        dsps=total(family.dsps),
    )


def read_statistics(path: Path) -> dict[str, dict[str, int]]:
    """Cells by type of every module, from `stat -json`."""
    text = path.read_text()
    # The pass writes its headline in front
    modules: dict[str, Any] = json.loads(text[text.index("{") :])["modules"]
    return {name.lstrip("\\"): module["num_cells_by_type"] for name, module in modules.items()}


def flatten(modules: Mapping[str, Mapping[str, int]], name: str) -> Counter[str]:
    """Cells of a module with all that is inside it."""
    total: Counter[str] = Counter()
    for cell, number in modules[name].items():
        inner = flatten(modules, cell) if cell in modules else Counter({cell: 1})
        for kind, inside in inner.items():
            total[kind] += number * inside
    return total
