"""What the cells of a netlist are known by: what they do and what is around them, whatever they are called.

Colour refinement: a cell's colour is made of its kind and the colours of its bits, a bit's of the cells and
named ports it is at and of what it is at the start, over and over until no more cells can be told apart.
Netlists all of whose cells can be told apart, with the same colours, are the same graph.
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


def forms(module: Mapping[str, Any]) -> tuple[dict[str, str], list[str]]:
    """Colours of all cells of a flat module of Yosys's JSON, by the cell's path, and those of its ports."""
    kinds, pins = {}, {}
    for name, cell in module["cells"].items():
        parameters = {key: value for key, value in cell["parameters"].items() if key != "MEMID"}
        kinds[name] = _digest(cell["type"], json.dumps(parameters, sort_keys=True))
        pins[name] = sorted(cell["connections"].items())
    at: dict[Bit, int] = defaultdict(int)
    for name, port in module["ports"].items():
        for number, bit in enumerate(port["bits"]):
            at[bit] += _digest(name, port["direction"], len(port["bits"]), number)
    for bit, value in _starts(module):
        at[bit] += _digest("init", value)
    colours, told_apart = kinds, 0
    while told_apart < len(set(colours.values())):
        told_apart = len(set(colours.values()))
        colours = {
            name: _digest(kinds[name], [[_colour(at, bit) for bit in bits] for _, bits in pins[name]])
            for name in pins
        }
        around: dict[Bit, int] = defaultdict(int)
        for name, colour in colours.items():
            for port, bits in pins[name]:
                for number, bit in enumerate(bits):
                    around[bit] += _digest(colour, port, number)
        at |= {bit: _digest(at[bit], total) for bit, total in around.items()}
    ports = {name: [_colour(at, bit) for bit in port["bits"]] for name, port in module["ports"].items()}
    cells = {path(name): f"{colour:016x}" for name, colour in colours.items()}
    return cells, [f"{_digest(name, bits):016x}" for name, bits in sorted(ports.items())]


def _colour(at: Mapping[Bit, int], bit: Bit) -> Bit:
    """That of a bit, or the constant it is."""
    return bit if isinstance(bit, str) else at[bit]


def _starts(module: Mapping[str, Any]) -> set[tuple[Bit, str]]:
    """Bits that are 0 or 1 at the start, each once, however many names it has."""
    inits = [(net["bits"], net["attributes"].get("init", "")) for net in module["netnames"].values()]
    pairs = {pair for bits, init in inits for pair in zip(bits, reversed(init), strict=False)}
    return {(bit, value) for bit, value in pairs if value in "01"}


def path(cell: str) -> str:
    """Instances and cell, without the marks of Yosys."""
    return re.sub(r"\$flatten|\\", "", cell)
