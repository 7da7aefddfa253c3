"""Generated hardware made fit to read: a module per kind of unit, not per instance; no idle signals."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from hw.export.interfaces import Unit, declared_at, ports_of
from hw.export.names import free, hints, name_all, tidy
from hw.export.rtlil import (
    NAME,
    Cell,
    Module,
    Wire,
    full,
    names,
    read_rtlil,
    rename,
    rewrite,
    source_of,
    write_module,
    write_rtlil,
)
from hw.export.whole import whole_ports


@dataclass(frozen=True)
class Hardware:
    """RTLIL for people.

    Attributes:
        rtlil: its text.
        classes: what its modules were made from, by name.
        sources: by name of the module, FILE:LINE of its signals, memories and instances by name, as far as
            the text it was made from said.
    """

    rtlil: str
    classes: dict[str, type]
    sources: dict[str, dict[str, str]]


def readable(text: str, units: Mapping[str, Unit]) -> Hardware:
    """The same hardware as RTLIL for people.

    Args:
        text: RTLIL, as Amaranth writes it; its first module is the top, which keeps its name and ports.
        units: that modules were made from, by name of the module.
    """
    modules = read_rtlil(text)
    classes = {name: type(unit) for name, unit in units.items()}
    interfaces = {name: {port: out for port, out, _ in ports_of(unit)} for name, unit in units.items()}
    whole_ports(modules, interfaces)
    top = next(iter(modules))
    stands: dict[str, str] = {}  # for the module of a name: the first that is equal
    equal: dict[str, str] = {}  # that by what is in it
    ports: dict[str, dict[str, str]] = {}
    kept: dict[str, Module] = {}
    for name, module in reversed(modules.items()):
        module.attributes = []
        for cell in module.cells:
            if cell.kind in stands:
                cell.ports = dict(sorted((ports[cell.kind][port], to) for port, to in cell.ports.items()))
                cell.kind = stands[cell.kind]
        ports[name] = _polish(module, kept)
        content = "\n".join(write_module(replace(module, name="")))
        stands[name] = equal.setdefault(content, name)
        if stands[name] == name:
            kept[name] = module
    taken: set[str] = set()
    new = {}
    for name in (name for name in modules if name in kept):
        new[name] = name if name == top else free(f"{top}_{_word(name, classes)}", taken)
    for module in kept.values():
        module.name = new[module.name]
        for cell in module.cells:
            cell.kind = new.get(cell.kind, cell.kind)
    return Hardware(
        rtlil=write_rtlil([kept[name] for name in new]),
        classes={new[name][1:]: classes[name] for name in new if name in classes},
        sources={
            new[name][1:]: _sources(kept[name]) | (declared_at(units[name]) if name in units else {})
            for name in new
        },
    )


def _sources(module: Module) -> dict[str, str]:
    """FILE:LINE of what is named in a module."""
    found = {wire.name[1:]: source_of(wire.attributes) for wire in module.wires.values()}
    found |= {cell.name[1:]: source_of(cell.attributes) for cell in module.cells if cell.is_instance}
    for cell in module.cells:
        for pin in ("\\Y", "\\Q", "\\DATA"):  # a signal without a name in the source is what computes it
            signal = cell.ports.get(pin, "")[1:]
            found[signal] = found.get(signal) or source_of(cell.attributes)
    attributes: list[str] = []
    for line in module.memories:
        attributes.append(line)
        if line.startswith("memory"):
            found[line.rsplit(" \\", 1)[1]] = source_of(attributes)
            attributes = []
    return found


def _word(name: str, classes: Mapping[str, type]) -> str:
    """What a module is called for: its class, or else the place of its first instance."""
    word = classes[name].__name__ if name in classes else name.rsplit(".", 1)[-1].split("$")[0]
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", word).lower()


def _polish(module: Module, modules: Mapping[str, Module]) -> dict[str, str]:
    """Names and order; returns the new names of its signals by the old, ports among them."""
    hinted = hints(module)
    clear(module, modules)
    absorb(module)
    merge(module, modules)
    before = list(module.wires)
    tidy(module)
    name_all(module, modules, hinted)
    new = dict(zip(before, module.wires, strict=True))
    order(module)
    return new


def clear(module: Module, modules: Mapping[str, Module]) -> None:
    """Remove second names of signals with those of their fields, and what has no bits."""
    read: set[str] = set()
    driven: set[str] = set()
    wide = {name for name, wire in module.wires.items() if wire.width}
    module.connections = [(to, by) for to, by in module.connections if to in wide or to not in module.wires]

    def note(signal: str, where: set[str]) -> str:
        where.update(names(signal))
        return signal

    rewrite(module, modules, lambda signal: note(signal, read), lambda signal: note(signal, driven))
    again = {to for to, _ in module.connections if to in module.wires and not module.wires[to].port} - read
    gone = {name for name in again if _stem(name) in again}
    gone |= {name for name, wire in module.wires.items() if not wire.width and not wire.port} - read - driven
    module.wires = {name: wire for name, wire in module.wires.items() if name not in gone}
    module.connections = [(to, by) for to, by in module.connections if to not in gone]


def absorb(module: Module) -> None:
    """Let what is computed for an output be the output, where it has no name of its own."""
    new: dict[str, str] = {}
    for to, by in module.connections:
        wire = module.wires.get(by.split(" ")[0])
        port = module.wires.get(to)
        if wire is None or by != full(wire) or not wire.nameless or wire.port or wire.name in new:
            continue
        if port is not None and port.port:
            new[wire.name] = to
            port.attributes = list(dict.fromkeys(port.attributes + wire.attributes))
    module.connections = [(to, by) for to, by in module.connections if new.get(by.split(" ")[0]) != to]
    for name in new:
        del module.wires[name]
    rename(module, new)


def merge(module: Module, modules: Mapping[str, Module]) -> None:
    """Compute once what the source asks for in several places."""
    first: dict[str, Cell] = {}
    again: dict[str, str] = {}

    def change(signal: str) -> str:
        return NAME.sub(lambda match: again.get(match[0], match[0]), signal)

    while True:
        first.clear()
        again.clear()
        for cell in module.cells:
            wire = module.wires.get(cell.ports.get("\\Y", ""))
            if wire is None or wire.port or not wire.nameless or cell.is_instance:
                continue
            inputs = {port: signal for port, signal in cell.ports.items() if port != "\\Y"}
            kept = first.setdefault(f"{cell.kind} {cell.parameters} {inputs}", cell)
            if kept is not cell:
                again[wire.name] = kept.ports["\\Y"]
        if not again:
            return
        module.cells = [cell for cell in module.cells if cell.ports.get("\\Y") not in again]
        rewrite(module, modules, change, change)
        for name in again:
            del module.wires[name]


def _stem(name: str) -> str:
    """The signal that a field belongs to."""
    match = re.match(r"[^.\[]+", name)
    assert match is not None
    return match[0]


def order(module: Module) -> None:
    """Ports first: clock and reset, inputs, outputs, by name."""

    def key(wire: Wire) -> Any:
        return (not wire.port, wire.name not in ("\\clk", "\\rst"), wire.port, wire.name)

    module.wires = {wire.name: wire for wire in sorted(module.wires.values(), key=key)}
