"""RTLIL, the language between Amaranth and Yosys, as Amaranth writes it: read, changed, written.

Signals stay text, a name after `\\` or `$`, a part `[high:low]` behind it, `{ ... }` around several.
"""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field

NAME = re.compile(r"[\\$][^\s]+")
# Of a file and a line, which stay with what is read and are not written
_SOURCE = "attribute \\src "


@dataclass
class Wire:
    """A signal; `port` is input, output or inout, empty for one inside. `attributes` are whole lines."""

    name: str
    width: int
    signed: bool
    port: str
    attributes: list[str]

    @property
    def nameless(self) -> bool:
        """Amaranth found no name for it in the source."""
        return self.name.startswith(("$", "\\$", "\\port$"))


@dataclass
class Cell:
    """An operation, a register, a port of a memory, or an instance of a module."""

    kind: str
    name: str
    attributes: list[str]
    parameters: list[str]
    ports: dict[str, str]

    @property
    def is_instance(self) -> bool:
        return self.kind.startswith("\\")

    def inputs(self, modules: Mapping[str, "Module"]) -> set[str]:
        """Ports that take values; `modules` are those that this may be an instance of."""
        if self.kind in modules:
            return {wire.name for wire in modules[self.kind].ports if wire.port == "input"}
        if self.is_instance:
            return set()
        return set(self.ports) - {"\\DATA" if self.kind == "$memrd_v2" else "\\Y", "\\Q"}


@dataclass
class Process:
    """Assignments under conditions: `assign TO FROM`, `switch ON`, `case VALUES`, `end`, by line."""

    name: str
    lines: list[str]


@dataclass
class Module:
    """A module. `memories` and `attributes` are whole lines; `connections` are of what is driven, by what."""

    name: str
    attributes: list[str] = field(default_factory=list)
    wires: dict[str, Wire] = field(default_factory=dict)
    memories: list[str] = field(default_factory=list)
    cells: list[Cell] = field(default_factory=list)
    processes: list[Process] = field(default_factory=list)
    connections: list[tuple[str, str]] = field(default_factory=list)

    def names(self) -> set[str]:
        """Of everything inside."""
        memories = {line.rsplit(" ", 1)[1] for line in self.memories if line.startswith("memory")}
        return set(self.wires) | memories | {cell.name for cell in self.cells}

    @property
    def ports(self) -> list[Wire]:
        return [wire for wire in self.wires.values() if wire.port]


def names(signal: str) -> list[str]:
    """The names in a signal, from its highest bit."""
    return NAME.findall(signal)


def full(wire: Wire) -> str:
    """All bits of a signal, as Amaranth writes what is read."""
    return f"{wire.name} [{wire.width - 1}:0]" if wire.width > 1 else f"{wire.name} [0]"


def split(text: str) -> tuple[str, str]:
    """Two signals that stand side by side."""
    end = text.index("}") + 1 if text.startswith("{") else 0
    if not end:
        words = text.split(" ", 2)
        end = len(words[0]) + (1 + len(words[1]) if words[1].startswith("[") else 0)
    return text[:end], text[end + 1 :]


def source_of(attributes: Iterable[str]) -> str:
    """FILE:LINE of what has these attributes; empty if they do not say."""
    said = (line.removeprefix(_SOURCE) for line in attributes if line.startswith(_SOURCE))
    return next(said, "").strip('"')


def read_rtlil(text: str) -> dict[str, Module]:
    """The modules, by name, parents first."""
    modules: dict[str, Module] = {}
    module = Module("")
    attributes: list[str] = []
    lines = iter(text.splitlines())
    for line in lines:
        word, _, rest = line.strip().partition(" ")
        if word == "attribute":
            attributes.append(line.strip())
            continue
        if word == "module":
            module = modules[rest] = Module(rest, attributes)
        elif word == "wire":
            words = rest.split()
            port = next((w for w in words if w in ("input", "output", "inout")), "")
            module.wires[words[-1]] = Wire(words[-1], int(words[1]), "signed" in words, port, attributes)
        elif word == "memory":
            module.memories += [*attributes, line.strip()]
        elif word == "cell":
            kind, name = rest.split(" ", 1)
            module.cells.append(_cell(Cell(kind, name, attributes, [], {}), lines))
        elif word == "process":
            module.processes.append(Process(rest, list(_body(lines))))
        elif word == "connect":
            module.connections.append(split(rest))
        attributes = [] if word else attributes
    return modules


def _cell(cell: Cell, lines: Iterator[str]) -> Cell:
    for line in lines:
        word, _, rest = line.strip().partition(" ")
        if word == "end":
            break
        if word == "parameter":
            cell.parameters.append(rest)
        else:
            port, _, signal = rest.partition(" ")
            cell.ports[port] = signal
    return cell


def _body(lines: Iterator[str]) -> Iterator[str]:
    depth = 1
    for line in lines:
        text = line.strip()
        depth += text.startswith("switch ")
        depth -= text == "end"
        if not depth:
            return
        yield text


def write_rtlil(modules: Iterable[Module]) -> str:
    """The text of modules. Ports come in the order in which they stand."""
    return "\n".join(line for module in modules for line in write_module(module)) + "\n"


def write_module(module: Module) -> Iterator[str]:
    """The lines of a module."""
    return (line for line in _lines(module) if not line.startswith(_SOURCE))


def _lines(module: Module) -> Iterator[str]:
    yield from module.attributes
    yield f"module {module.name}"
    number = 1
    for wire in module.wires.values():
        yield from wire.attributes
        port = f"{wire.port} {number} " if wire.port else ""
        number += bool(port)
        yield f"wire width {wire.width} {port}{'signed ' if wire.signed else ''}{wire.name}"
    yield from module.memories
    for cell in module.cells:
        yield from cell.attributes
        yield f"cell {cell.kind} {cell.name}"
        yield from (f"parameter {parameter}" for parameter in cell.parameters)
        yield from (f"connect {port} {signal}" for port, signal in cell.ports.items())
        yield "end"
    for process in module.processes:
        yield from (f"process {process.name}", *process.lines, "end")
    yield from (f"connect {to} {by}" for to, by in module.connections)
    yield "end"


def rename(module: Module, new: Mapping[str, str]) -> None:
    """Give signals other names, those of ports among them; instances elsewhere keep the old."""

    def change(signal: str) -> str:
        return NAME.sub(lambda match: new.get(match[0], match[0]), signal)

    rewrite(module, {}, change, change)
    for wire in module.wires.values():
        wire.name = new.get(wire.name, wire.name)
    module.wires = {wire.name: wire for wire in module.wires.values()}


def rewrite(
    module: Module, modules: Mapping[str, Module], read: Callable[[str], str], other: Callable[[str], str]
) -> None:
    """Change the signals inside.

    Args:
        modules: where those are that this one has instances of.
        read: changes what is surely read only.
        other: changes what is driven, and what is at ports of a module that is not there.
    """
    for cell in module.cells:
        inputs = cell.inputs(modules)
        for port, signal in cell.ports.items():
            cell.ports[port] = (read if port in inputs else other)(signal)
    for process in module.processes:
        for number, line in enumerate(process.lines):
            word, _, rest = line.partition(" ")
            if word == "assign":
                to, by = split(rest)
                process.lines[number] = f"assign {other(to)} {read(by)}"
            elif word == "switch":
                process.lines[number] = f"switch {read(rest)}"
    module.connections = [(other(to), read(by)) for to, by in module.connections]
