"""Names for the signals of generated hardware to which its source gave none: they say what is computed.

`lane_eq_7` is whether `lane` is 7, `count_next` what the register `count` is about to hold.
"""

import re
from collections.abc import Mapping
from itertools import chain, count

from hw.export.rtlil import Cell, Module, full, names, rename, split

# In front of the name of an instance that a signal has, too
SIGNAL_TOO = "u_"
LONGEST = 48  # characters
# In front of one operand, between two
ONE = {
    "$not": "not",
    "$neg": "minus",
    "$reduce_or": "any",
    "$reduce_bool": "any",
    "$reduce_and": "all",
    "$reduce_xor": "parity",
}
TWO = {
    "$and": "and",
    "$or": "or",
    "$xor": "xor",
    "$add": "plus",
    "$sub": "minus",
    "$mul": "times",
    "$divfloor": "over",
    "$modfloor": "mod",
    "$eq": "eq",
    "$ne": "ne",
    "$lt": "lt",
    "$le": "le",
    "$gt": "gt",
    "$ge": "ge",
    "$shl": "shl",
    "$shr": "shr",
    "$sshr": "shr",
    "$shift": "part",
    "$shiftx": "part",
}
_PART = re.compile(r"(\S+)(?: \[(\d+)(?::(\d+))?\])?$")


def tidy(module: Module) -> None:
    """Number signals of one name from 2 up, in order: Amaranth's numbers differ from instance to instance."""
    new: dict[str, str] = {}
    taken = {name for name in module.names() if "$" not in name}
    for name, wire in module.wires.items():
        base = re.match(r"[^.\[]+", name)
        assert base is not None
        if not wire.nameless and "$" in base[0] and base[0] == name:
            new[name] = free(name.split("$")[0], taken)
    for name in module.wires:
        stem = re.split(r"(?=[.\[])", name, maxsplit=1)
        if len(stem) == 2 and stem[0] in new:
            new[name] = new[stem[0]] + stem[1]
    rename(module, new)
    taken = module.names()
    for cell in module.cells:
        if cell.is_instance and "$" in cell.name:
            cell.name = free(f"\\{SIGNAL_TOO}{cell.name[1:].split('$')[0]}", taken)


def free(name: str, taken: set[str]) -> str:
    """The name, with a number if it is taken; it is taken now."""
    free = next(n for n in chain([name], (f"{name}_{number}" for number in count(2))) if n not in taken)
    taken.add(free)
    return free


def hints(module: Module) -> dict[str, str]:
    """Words for nameless signals that are a field of a structure, or have a second name."""
    found = {}
    for to, by in module.connections:
        wire = module.wires.get(by.split(" ")[0])
        if wire is None or by != full(wire) or not wire.nameless:
            continue
        if to in module.wires and not module.wires[to].nameless:
            found[wire.name] = re.sub(r"\W+", "_", re.sub(r"\$\d+", "", to)).strip("_")
    return found


def name_all(module: Module, modules: Mapping[str, Module], hinted: Mapping[str, str]) -> None:
    """Name what is nameless.

    Args:
        modules: those that this one has instances of.
        hinted: see `hints`.
    """
    rename(module, _Names(module, modules, hinted).chosen())


class _Names:
    """What drives each signal of a module, and the names found so far."""

    def __init__(self, module: Module, modules: Mapping[str, Module], hinted: Mapping[str, str]) -> None:
        self._module = module
        self._hinted = hinted
        self._taken = module.names()
        self._found: dict[str, str] = {}
        self._open: set[str] = set()
        self._fields = {by: to for to, by in module.connections if to in module.wires and "." in to}
        self._drivers: dict[str, tuple[str, Cell]] = {}
        self._next: dict[str, str] = {}
        for cell in module.cells:
            inputs = cell.inputs(modules)
            for port, signal in cell.ports.items():
                if port not in inputs and signal in module.wires:
                    self._drivers[signal] = port, cell
            if cell.kind in ("$dff", "$adff"):
                self._next[cell.ports["\\D"].split(" ")[0]] = cell.ports["\\Q"].split(" ")[0]
        self._cases: dict[str, list[str]] = {}  # what a process may give a signal
        for process in module.processes:
            pairs = [split(line[7:]) for line in process.lines if line.startswith("assign ")]
            to = pairs[0][0].split(" ")[0]
            own = (f"{to} ", f"{self._next.get(to, to)} ")
            values = [by for _, by in pairs if not by.startswith(own)]
            self._cases[to] = sorted(values, key=lambda by: not names(by))

    def chosen(self) -> dict[str, str]:
        """New names of all that are nameless."""
        for name, wire in self._module.wires.items():
            if wire.nameless:
                self._name(name)
        return self._found

    def _name(self, wire: str) -> str:
        """The name of a signal without the character in front."""
        if wire not in self._module.wires or not self._module.wires[wire].nameless:
            return wire[1:]
        if wire not in self._found:
            if wire in self._open:
                return "state"  # it depends on itself, through registers
            self._open.add(wire)
            text = self._describe(wire)
            if text[0].isdigit():
                text = f"n{text}"
            self._found[wire] = free("\\" + text, self._taken)
        return self._found[wire][1:]

    def _describe(self, wire: str) -> str:
        stem = re.match(r"[^.\[]+", wire)
        if stem is not None and stem[0] != wire and stem[0] in self._module.wires:
            return self._name(stem[0]) + wire[stem.end() :]  # a field
        register = self._next.get(wire)
        if register is not None and register in self._module.wires:
            return self._name(register) + "_next"
        if wire in self._hinted:
            return self._hinted[wire]
        if self._cases.get(wire):
            return f"chosen_{self._operand(self._cases[wire][0])}"
        if wire not in self._drivers:
            return "value"
        port, cell = self._drivers[wire]
        if cell.is_instance:
            return f"{cell.name[1:]}_{port[1:]}"
        if "\\D" in cell.ports:
            source = cell.ports["\\D"].split(" ")[0]
            by = self._cases[source][0] if self._cases.get(source) else cell.ports["\\D"]
            word = self._operand(by)
            return "state" if "state" in word else f"{word}_held"
        if port == "\\DATA":
            memory = next(p for p in cell.parameters if p.startswith("\\MEMID")).split('"')[1]
            return f"{memory.lstrip(chr(92))}_word"
        return self._operation(cell)

    def _operation(self, cell: Cell) -> str:
        kind = cell.kind
        if kind == "$mux":
            return _short("by", self._operand(cell.ports["\\S"]))
        a = self._operand(cell.ports["\\A"])
        if kind in ONE:
            return _short(ONE[kind], a)
        if kind in TWO:
            return _short(TWO[kind], a, self._operand(cell.ports["\\B"]))
        return _short(kind[1:], a)

    def _operand(self, signal: str) -> str:
        """A word for a signal: its name, that of its field, or its value."""
        if re.fullmatch(r"\d+'[01]+", signal):
            return str(int(signal.split("'")[1], 2))
        if signal in self._fields:
            return self._fields[signal].rsplit(".", 1)[1].replace("[", "_").replace("]", "")
        inside = names(signal)
        if not inside:
            return "0" if not signal.strip("{} ") else "bits"
        word = re.sub(r"\W+", "_", self._name(inside[0])).strip("_")
        part = _PART.fullmatch(signal)
        if part is None or part[2] is None or part[1] not in self._module.wires:
            return word
        width = self._module.wires[part[1]].width
        high, low = int(part[2]), int(part[3] or part[2])
        return word if (high, low) == (width - 1, 0) else f"{word}_{high}" + (f"_{low}" if low < high else "")


def _short(operation: str, *operands: str) -> str:
    """What is done with one or two operands; where that is long, with the first that is short."""
    text = "_".join((operation, *operands) if len(operands) == 1 else (operands[0], operation, operands[1]))
    if len(text) <= LONGEST:
        return text
    short = [operand for operand in operands if len(operation) + len(operand) < LONGEST]
    return "_".join((operation, *short[:1]))
