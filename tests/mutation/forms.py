"""What the cells of a netlist are known by: what they do and what is around them, whatever they are called.

Colour refinement: a cell's colour is made of its kind and the colours of its bits, a bit's of the cells and
ports it is at, over and over until no more cells can be told apart. Netlists all of whose cells can be told
apart, with the same colours, are the same graph.
"""

import hashlib
import json
import re
from collections import defaultdict
from collections.abc import Mapping
from typing import Any

Bit = int | str


def _digest(*parts: object) -> int:
    return int.from_bytes(hashlib.blake2b(repr(parts).encode(), digest_size=8).digest(), "little")


def forms(module: Mapping[str, Any]) -> dict[str, str]:
    """Colour of every cell of a flat module of Yosys's JSON, by the cell's path."""
    kinds, pins = {}, {}
    for name, cell in module["cells"].items():
        parameters = {key: value for key, value in cell["parameters"].items() if key != "MEMID"}
        kinds[name] = _digest(cell["type"], json.dumps(parameters, sort_keys=True))
        pins[name] = sorted(cell["connections"].items())
    at: dict[Bit, int] = defaultdict(int)
    for port in module["ports"].values():
        for number, bit in enumerate(port["bits"]):
            at[bit] += _digest(port["direction"], len(port["bits"]), number)
    colours, told_apart = kinds, 0
    while told_apart < len(set(colours.values())):
        told_apart = len(set(colours.values()))
        colours = {
            name: _digest(
                kinds[name],
                [[bit if isinstance(bit, str) else at[bit] for bit in bits] for _, bits in pins[name]],
            )
            for name in pins
        }
        around: dict[Bit, int] = defaultdict(int)
        for name, colour in colours.items():
            for port, bits in pins[name]:
                for number, bit in enumerate(bits):
                    around[bit] += _digest(colour, port, number)
        at = defaultdict(int, {bit: _digest(at[bit], total) for bit, total in around.items()})
    return {path(name): f"{colour:016x}" for name, colour in colours.items()}


def path(cell: str) -> str:
    """Instances and cell, without the marks of Yosys."""
    return re.sub(r"\$flatten|\\", "", cell)
