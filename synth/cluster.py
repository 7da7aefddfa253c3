"""What the cells of a token lane are for: a middle cluster of a preset, synthesised alone, by unit.

python -m synth.cluster [PRESET ...]
"""

import dataclasses
import json
import re
import sys
import tempfile
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from golden.attention.config import CoreConfig, preset
from hw.attention.cluster import Cluster
from synth.alone import BOARD, synthesise
from synth.commands import NETLIST, TOP
from synth.tools import find_tools

# Part of a lane by the name of a cell, which is that of the net it drives; the first that matches decides
PARTS = (
    ("sum of the score", r"score_\d+\.total"),
    ("mask", r"score_\d+\.masked"),
    ("comparison with the threshold", r"ramp_\d+\.(held|reached)"),
    ("attention spikes", r"attention\.|ramp_\d+\.(spike|step)"),
    ("winner search", r"(ramp|score)_\d+\.score|bits|winner_tree"),
    ("adder tree", r"adder_tree|o_context_sum"),
    ("trace lookup", r"trace_\d+|(score|context)_[ab]"),
    ("keys and values", r"keys|values"),
)


def parts(netlist: Mapping[str, Any]) -> Counter[str]:
    """LUT4-equivalents by part of a flat netlist of a cluster."""
    found: Counter[str] = Counter()
    for name, cell in netlist["cells"].items():
        cost = BOARD.family.lut4_cells.get(cell["type"], 0)
        part = next((part for part, pattern in PARTS if re.search(rf"^(\$\w+)?({pattern})", name)), "rest")
        found[part] += cost
    return +found


def measure(config: CoreConfig) -> Counter[str]:
    """LUT4-equivalents of the second cluster of a core, by part."""
    with tempfile.TemporaryDirectory() as scratch:
        synthesise(Cluster(config, 1), {}, Path(scratch), find_tools(["yosys"])["yosys"])
        return parts(json.loads((Path(scratch) / NETLIST).read_text())["modules"][TOP])


def main(names: list[str]) -> None:
    for name in names or ["default"]:
        for store in ("memory", "logic"):
            config = dataclasses.replace(preset(name), trace_store=store)
            found = measure(config)
            print(f"{name}, trace in {store}: {found.total() / config.cluster:.1f} per lane")
            for part, cost in found.most_common():
                print(f"    {cost / config.cluster:5.1f} {part}")


if __name__ == "__main__":
    main(sys.argv[1:])
