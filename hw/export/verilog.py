"""Plain Verilog of a component, and a manifest that says how to talk to it.

The manifest is all that a driver needs: which ports form streams, how their payloads are laid out,
with which parameters the component was generated, and its latency. Harness and benches read the
manifest, never the component.
"""

import contextlib
import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from amaranth.back import rtlil
from amaranth.hdl import Const, Fragment, Shape, ShapeCastable, Value
from amaranth.hdl._ir import PortDirection
from amaranth.lib import data, stream, wiring

from golden.errors import InputError
from hw.export.header import header
from hw.export.hierarchy import readable
from hw.export.interfaces import Unit, name_interfaces, unit_of
from hw.export.sources import with_sources
from hw.export.text import tidy_text
from hw.export.yowasp import run_yosys

# More words than an FPGA holds of a memory on chip
DEEP = 1 << 14
# Commands of Yosys; the last takes the name of a file. Without -noopt, proc adds cells with names that differ
# from instance to instance
TO_VERILOG = "proc -nomux -norom -noopt; memory_collect; write_verilog -norename"
Layout = dict[str, Any]
"""Nested description of a payload, least significant bit first. One of

    {"width": W, "signed": bool}                                        an integer
    {"width": W, "fields": {name: {"offset": BIT, "layout": Layout}}}   a structure
    {"width": W, "length": N, "element": Layout}                        an array, element 0 lowest
"""


@dataclass(frozen=True, kw_only=True)
class StreamPort:
    """Ports NAME__payload, NAME__valid and NAME__ready, as far as they exist.

    Attributes:
        name: path of the stream in the component, joined with two underscores.
        direction: "in" or "out", seen from the component.
        width: bits of the payload; there is no payload port when it is 0.
        layout: description of the payload.
        always_valid: a payload passes in every cycle; there is no valid port.
        always_ready: the stream cannot be stalled; there is no ready port.
    """

    name: str
    direction: str
    width: int
    layout: Layout
    always_valid: bool
    always_ready: bool


@dataclass(frozen=True, kw_only=True)
class PlainPort:
    """A port that belongs to no stream; `direction` is "in" or "out", `width` in bits."""

    name: str
    direction: str
    width: int
    signed: bool


@dataclass(frozen=True, kw_only=True)
class Manifest:
    """What a driver needs to know about a generated component.

    Attributes:
        name: the Verilog module.
        clock: its clock port, rising edge; None if the component is combinational.
        reset: its synchronous reset port, active high; None if there is none.
        streams: stream ports in the order of the component's signature.
        ports: all other ports.
        parameters: what it was generated from, as plain values.
        latency: cycles, by the name of what is counted.
    """

    name: str
    clock: str | None
    reset: str | None
    streams: tuple[StreamPort, ...]
    ports: tuple[PlainPort, ...] = ()
    parameters: Mapping[str, Any] = field(default_factory=dict)
    latency: Mapping[str, int] = field(default_factory=dict)

    def stream(self, name: str) -> StreamPort:
        """The stream port of this name.

        Raises:
            InputError: there is none.
        """
        for port in self.streams:
            if port.name == name:
                return port
        raise InputError(
            f"stream of {self.name} must be one of {', '.join(s.name for s in self.streams)}, not {name!r}"
        )

    def to_json(self) -> str:
        return json.dumps(asdict(self), indent=2) + "\n"

    @classmethod
    def from_json(cls, text: str) -> "Manifest":
        table = json.loads(text)
        table["streams"] = tuple(StreamPort(**port) for port in table["streams"])
        table["ports"] = tuple(PlainPort(**port) for port in table["ports"])
        return cls(**table)


def describe(shape: Any) -> Layout:
    """Layout of an Amaranth shape.

    Raises:
        InputError: the shape holds a union, whose fields share bits.
    """
    # Fields of no bits are left out: nothing can be sent in them.
    while isinstance(shape, ShapeCastable) and not isinstance(shape, data.Layout):
        shape = shape.as_shape()
    if isinstance(shape, data.ArrayLayout):
        return {"width": shape.size, "length": shape.length, "element": describe(shape.elem_shape)}
    if isinstance(shape, data.StructLayout):
        fields = {
            str(name): {"offset": part.offset, "layout": describe(part.shape)}
            for name, part in shape
            if Shape.cast(part.shape).width
        }
        if fields:
            return {"width": shape.size, "fields": fields}
        return {"width": 0, "signed": False}
    if isinstance(shape, data.Layout):
        raise InputError(f"payload must be made of integers, structures and arrays, not {shape!r}")
    shape = Shape.cast(shape)
    return {"width": shape.width, "signed": shape.signed}


def _flatten(
    signature: wiring.Signature, interface: Any, path: tuple[str, ...] = ()
) -> Iterator[tuple[str, bool, Any, Any]]:
    """Ports and streams of a signature: (name, is output, member, value)."""
    for name, member in signature.members.items():
        for index, value in _elements(getattr(interface, name), len(member.dimensions)):
            where = (*path, name, *map(str, index))
            if member.is_signature and not isinstance(member.signature, stream.Signature):
                yield from _flatten(member.signature, value, where)
            else:
                yield "__".join(where), member.flow == wiring.Out, member, value


def _elements(value: Any, dimensions: int) -> Iterator[tuple[tuple[int, ...], Any]]:
    if dimensions == 0:
        yield (), value
        return
    for number, element in enumerate(value):
        for index, leaf in _elements(element, dimensions - 1):
            yield (number, *index), leaf


def export(
    component: wiring.Component,
    name: str,
    *,
    parameters: Mapping[str, Any] | None = None,
    latency: Mapping[str, int] | None = None,
    sources: bool = False,
) -> tuple[str, Manifest]:
    """Verilog of a component and its manifest; the same input gives the same bytes.

    Args:
        component: not elaborated yet; its clock domain is `sync` or none.
        name: name of the Verilog module.
        parameters: plain values to keep in the manifest.
        latency: cycles to keep in the manifest.
        sources: write file and line of the Python source as attributes; see `hw.export.sources`.

    Raises:
        InputError: the name is no Verilog identifier, a port cannot be described, or Yosys does not run.
        OutsideError: Yosys failed.
    """
    if not re.fullmatch(r"[A-Za-z_][A-Za-z0-9_]*", name):
        raise InputError(f"name of a module must be a Verilog identifier, not {name!r}")
    signals: dict[str, tuple[Value, PortDirection]] = {}
    streams: list[StreamPort] = []
    plain: list[PlainPort] = []

    def add(port: str, value: Any, output: bool) -> None:
        value = Value.cast(value)
        # A constant (the ready of a stream that is always ready) is no port, and a port of no bits
        # would be written as [-1:0], which Verilog reads as two bits.
        if not isinstance(value, Const) and len(value):
            signals[port] = (value, PortDirection.Output if output else PortDirection.Input)

    for port, output, member, value in _flatten(component.signature, component):
        direction = "out" if output else "in"
        if member.is_port:
            add(port, value, output)
            shape = Value.cast(value).shape()
            if shape.width:
                plain.append(
                    PlainPort(name=port, direction=direction, width=shape.width, signed=shape.signed)
                )
            continue
        layout = describe(member.signature.members["payload"].shape)
        streams.append(
            StreamPort(
                name=port,
                direction=direction,
                width=layout["width"],
                layout=layout,
                always_valid=member.signature.always_valid,
                always_ready=member.signature.always_ready,
            )
        )
        add(f"{port}__payload", value.payload, output)
        add(f"{port}__valid", value.valid, output)
        add(f"{port}__ready", value.ready, not output)

    made, units = _rtlil(component, name, signals, sources)
    hardware = readable(made, units)
    yosys = f"read_rtlil <<rtlil\n{hardware.rtlil}rtlil\n{TO_VERILOG}\n"
    text = tidy_text(run_yosys(yosys), hardware.classes)
    if sources:
        text = with_sources(text, hardware.sources, hardware.classes)
    module = re.search(rf"^module {name} \((.*?)\);", text, re.MULTILINE | re.DOTALL)
    assert module is not None, "Yosys wrote no module of the requested name"
    found = set(re.findall(r"(\w+)(?: = \S+)?,?$", module[1], re.MULTILINE))
    extra = sorted(found - set(signals) - {"clk", "rst"})
    if extra:
        raise InputError(f"clock of {name} must be the domain sync, not that of port {extra[0]!r}")
    return text, Manifest(
        name=name,
        clock="clk" if "clk" in found else None,
        reset="rst" if "rst" in found else None,
        streams=tuple(streams),
        ports=tuple(plain),
        parameters=dict(parameters or {}),
        latency=dict(latency or {}),
    )


def _rtlil(
    component: wiring.Component,
    name: str,
    ports: Mapping[str, tuple[Value, PortDirection]],
    sources: bool,
) -> tuple[str, dict[str, Unit]]:
    """RTLIL of a component, and what its modules were made from, by name."""
    design = Fragment.get(component, None).prepare(ports=ports, hierarchy=(name,))
    name_interfaces(design)
    made = {
        "\\" + ".".join(info.name): origin
        for unit, info in design.fragments.items()
        if (origin := unit_of(unit)) is not None
    }
    with _deep_memories():
        text, _ = rtlil.convert_fragment(design, name=name, emit_src=sources)
    return text, made


@contextlib.contextmanager
def _deep_memories() -> Iterator[None]:
    """Let Amaranth leave out the initial zeros of memories deeper than `DEEP`.

    It writes every word of them: a gigabyte of text for the weights of MiniLM, which are loaded before they
    are read, and which no FPGA holds on chip.
    """
    emitter = rtlil.ModuleEmitter
    emit = emitter.emit_memory

    def emit_memory(self: Any, cell_idx: int, cell: Any) -> None:
        if cell.depth <= DEEP or any(cell.init):
            emit(self, cell_idx, cell)

    emitter.emit_memory = emit_memory
    try:
        yield
    finally:
        emitter.emit_memory = emit


def write(
    component: wiring.Component,
    name: str,
    directory: Path,
    parameters: Mapping[str, Any],
    latency: Mapping[str, int],
    about: str = "",
) -> tuple[Path, Path]:
    """Write NAME.v and NAME.json into a directory, which is made if absent.

    Args:
        about: what it is, as "an attention core"; the Verilog then begins with a comment for people and
            names its source.

    Returns:
        The two paths.

    Raises:
        InputError, OutsideError: see `export`.
    """
    text, manifest = export(component, name, parameters=parameters, latency=latency, sources=bool(about))
    if about:
        text = header(about, manifest.parameters, manifest.streams) + text
    code, description = write_files(directory, {f"{name}.v": text, f"{name}.json": manifest.to_json()})
    return code, description


def write_files(directory: Path, contents: Mapping[str, str]) -> tuple[Path, ...]:
    """Write files into a directory, which is made if absent; returns their paths."""
    directory.mkdir(parents=True, exist_ok=True)
    for name, content in contents.items():
        (directory / name).write_text(content)
    return tuple(directory / name for name in contents)
