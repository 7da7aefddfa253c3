"""Ports of units as their source declares them: whole structures, where RTLIL has what is left of them."""

import re
from collections.abc import Mapping, Sequence

from hw.export.names import free
from hw.export.rtlil import Cell, Module, Wire, full, names, rewrite

Bit = tuple[str, int]
"""A bit of a signal; a constant is ("0", 0), ("1", 0) or ("x", 0)."""
CLOCKED = ("\\clk", "\\rst")
_CHUNK = re.compile(r"(\d+)'([01x]+)|(\S+)(?: \[(\d+)(?::(\d+))?\])?")


def whole_ports(modules: Mapping[str, Module], interfaces: Mapping[str, Mapping[str, bool]]) -> None:
    """Let the signals of a unit's interface be its ports.

    Amaranth's ports are nets: a structure that a unit takes from three places is three ports, one that comes
    from a constant is none. Units that differ only in that are one kind after this.

    Args:
        modules: as Amaranth writes them: each has one instance, parents come first.
        interfaces: by name of the module, whether each port is an output, by its name.
    """
    parents = {cell.kind: (module, cell) for module in modules.values() for cell in module.cells}
    for name, module in reversed(list(modules.items())):
        if name in parents and name in interfaces:
            ports = {f"\\{port}": output for port, output in interfaces[name].items()}
            _Unit(module, *parents[name], ports).gather(modules)


def bits(signal: str, module: Module) -> list[Bit]:
    """The bits of a signal, from the lowest."""
    found: list[Bit] = []
    for match in reversed(list(_CHUNK.finditer(signal.strip("{} ")))):
        constant, name = match[2], match[3]
        if constant:
            found += [(digit, 0) for digit in reversed(constant)]
        elif match[4] is None:
            found += [(name, bit) for bit in range(module.wires[name].width)]
        else:
            found += [(name, bit) for bit in range(int(match[5] or match[4]), int(match[4]) + 1)]
    return found


def text(signal: Sequence[Bit]) -> str:
    """Bits as Amaranth writes what is read."""
    chunks: list[str] = []
    start = 0
    for end in range(1, len(signal) + 1):
        name, low = signal[start]
        if end < len(signal):
            other, bit = signal[end]
            if other == name and bit == low + end - start if name[0] in "\\$" else other[0] not in "\\$":
                continue
        if name[0] not in "\\$":
            chunks.append(f"{end - start}'{''.join(digit for digit, _ in reversed(signal[start:end]))}")
        else:
            high = low + end - start - 1
            chunks.append(f"{name} [{high}:{low}]" if high > low else f"{name} [{low}]")
        start = end
    return chunks[0] if len(chunks) == 1 else f"{{ {' '.join(reversed(chunks))} }}"


class _Unit:
    """A module, its only instance, and the ports that it should have."""

    def __init__(self, module: Module, parent: Module, cell: Cell, ports: Mapping[str, bool]) -> None:
        self._module = module
        self._parent = parent
        self._cell = cell
        self._ports = ports
        self._drivers = dict(module.connections)
        # Bits in the module, and what they are in the parent
        self._outer: dict[Bit, Bit] = {}
        self._whole: set[Bit] = set()  # those of ports that stay
        for name, pin in cell.ports.items():
            inner = self._inner(name)
            self._outer |= zip(inner, bits(pin, parent), strict=True)
            if name in ports or module.wires[name].port == "input":
                self._whole |= set(inner)
        self._inside: dict[Bit, Bit] = {}  # what bits of ports that go are from now on, in the module
        self._around: dict[Bit, Bit] = {}  # and outside: by bits in the module, bits in the parent

    def gather(self, modules: Mapping[str, Module]) -> None:
        """Change the ports, and the signals inside and around that were connected to the old ones."""
        pins: dict[str, str] = {}
        for name, output in self._ports.items():
            wire = self._module.wires.get(name)
            if wire is not None and not wire.port and wire.width:
                pin = self._output(wire) if output else self._input(wire)
                if pin is not None:
                    pins[name] = pin
                    wire.port = "output" if output else "input"
        around: dict[Bit, Bit] = {}
        for name, pin in list(self._cell.ports.items()):
            wire = self._module.wires[name]
            inner = self._inner(name)
            new = self._inside if wire.port == "input" else self._around
            if name in self._ports or name in CLOCKED or not all(bit in new for bit in inner):
                for bit in inner:
                    self._inside.pop(bit, None)
                continue
            del self._cell.ports[name]
            if wire.port == "output":
                around |= self._drive(pin, [new[bit] for bit in inner])
            wire.port = ""
            if wire.nameless and (name in self._drivers or new is self._inside):
                del self._module.wires[name]
                self._module.connections = [pair for pair in self._module.connections if pair[0] != name]
        self._cell.ports |= pins
        _replace(self._module, modules, self._inside)
        _replace(self._parent, modules, around)

    def _drive(self, pin: str, by: Sequence[Bit]) -> dict[Bit, Bit]:
        """Let other bits take the place of what a pin drove in the parent."""
        old = bits(pin, self._parent)
        wire = self._parent.wires[old[0][0]]
        if wire.port or not wire.nameless:
            self._parent.connections.append((wire.name, text(by)))
            return {}
        del self._parent.wires[wire.name]
        return dict(zip(old, by, strict=True))

    def _inner(self, name: str) -> list[Bit]:
        """What is connected to a signal of the module, or the signal where it has a driver of its own."""
        return bits(self._drivers.get(name, full(self._module.wires[name])), self._module)

    def _input(self, wire: Wire) -> str | None:
        """What the parent gives to an input; None if it cannot become a port."""
        inner = self._inner(wire.name)
        nets = [bit for bit in inner if bit[0] in self._module.wires]
        if any(bit not in self._outer for bit in nets):
            return None
        if all(bit[0] in self._ports for bit in nets):
            return None
        self._module.connections = [pair for pair in self._module.connections if pair[0] != wire.name]
        for number, bit in enumerate(inner):
            self._inside.setdefault(bit, (wire.name, number))
        return text([self._outer.get(bit, bit) for bit in inner])

    def _output(self, wire: Wire) -> str | None:
        """What an output is called in the parent; None if it says nothing new."""
        inner = self._inner(wire.name)
        if all(bit in self._whole or bit[0] not in self._module.wires for bit in inner):
            return None
        name = f"\\{self._cell.name[1:].split('$')[0]}_{wire.name[1:]}"
        again = dict(self._parent.connections).get(name)
        if again is None or not self._same(inner, bits(again, self._parent)):
            name = free(name, self._parent.names())
            self._parent.wires[name] = Wire(name, wire.width, wire.signed, "", [])
        else:
            self._parent.connections.remove((name, again))
        for number, bit in enumerate(inner):
            self._around.setdefault(bit, (name, number))
        return full(self._parent.wires[name])

    def _same(self, inner: Sequence[Bit], outer: Sequence[Bit]) -> bool:
        """Whether bits of the parent are those of the module; constants are."""
        known = [self._outer.get(bit, bit) for bit in inner]
        return known == list(outer)


def _replace(module: Module, modules: Mapping[str, Module], new: Mapping[Bit, Bit]) -> None:
    """Read other bits in place of some."""
    gone = {name for name, _ in new}

    def change(signal: str) -> str:
        if gone.isdisjoint(names(signal)):
            return signal
        return text([new.get(bit, bit) for bit in bits(signal, module)])

    rewrite(module, modules, change, change)
