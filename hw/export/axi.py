"""AXI4-Stream ports for a component, as an IP for other flows: Verilog, a manifest, a FuseSoC core file.

Names are those of the AMBA AXI4-Stream specification: s_axis_* ports take streams in, m_axis_* ports
give them out, aclk rises, aresetn is active low and synchronous.
"""

import json
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from amaranth.hdl import Cat, ClockDomain, ClockSignal, Module, ResetSignal, Value
from amaranth.lib import stream, wiring
from amaranth.lib.wiring import In, Out

from golden.errors import InputError
from hw.export.header import VERSION, header
from hw.export.verilog import Layout, describe, export, write_files
from hw.parts.ports_only import ports_only

BUS = "axi4-stream"
# Of what Verilator may warn: all modules are in one file; registers have values at power-on; not every bit of
# a structure is read; operators widen; a case that is missing keeps what stands above; comparisons with the
# greatest value stay. What would lose bits, drive twice or close a loop is no exception
_EXCEPTIONS = (*("DECLFILENAME", "PROCASSINIT", "UNUSEDSIGNAL", "WIDTHEXPAND", "CASEINCOMPLETE", "CMPCONST"),)
LINT = ("-Wall", *(f"-Wno-{name}" for name in _EXCEPTIONS))
LAST = "last"
# Name of the component inside
CORE = "core"


@dataclass(frozen=True, kw_only=True)
class AxiPort:
    """A stream of the component and its AXI4-Stream port.

    Attributes:
        name: prefix of tdata, tvalid, tready and tlast.
        stream: name of the component's stream.
        direction: "in" or "out", seen from the component.
        tdata_bytes: width of tdata; spare top bits are ignored on the way in, 0 on the way out.
        tlast: whether there is a tlast, high in the beat that ends a row.
        layout: of the payload in tdata, from bit 0; `last`, where there was one, is tlast.
    """

    name: str
    stream: str
    direction: str
    tdata_bytes: int
    tlast: bool
    layout: Layout

    @property
    def signals(self) -> tuple[str, ...]:
        """Names of the port's signals."""
        ends = ("tdata", "tvalid", "tready", *(["tlast"] if self.tlast else []))
        return tuple(f"{self.name}_{end}" for end in ends)


def axi_ports(signature: wiring.Signature) -> tuple[AxiPort, ...]:
    """The ports for the streams of a component, in the order of its members.

    Raises:
        InputError: a member is no stream, or cannot be held up.
    """
    return tuple(_ports(signature))


def _ports(signature: wiring.Signature) -> Iterator[AxiPort]:
    for name, member in signature.members.items():
        if member.is_port or member.dimensions or not isinstance(member.signature, stream.Signature):
            raise InputError(f"members of a component with AXI4-Stream ports must be streams, not {name!r}")
        if member.signature.always_ready or member.signature.always_valid:
            raise InputError(f"AXI4-Stream ports must be able to wait, {name!r} cannot")
        layout = describe(member.signature.members["payload"].shape)
        fields = dict(layout.get("fields", {}))
        tlast = LAST in fields
        if tlast:
            # Fields in front of it keep their place
            end = fields.pop(LAST)["offset"]
            if end != layout["width"] - 1:
                raise InputError(f"{LAST} must be the highest bit of the payload of {name!r}, it is not")
            layout = {"width": end, "fields": fields}
        way, stem = ("s", "i_") if member.flow == In else ("m", "o_")
        yield AxiPort(
            name=f"{way}_axis_{name.removeprefix(stem)}",
            stream=name,
            direction="in" if member.flow == In else "out",
            tdata_bytes=max(1, -(-layout["width"] // 8)),
            tlast=tlast,
            layout=layout,
        )


class AxiStream(wiring.Component):
    """A component behind AXI4-Stream ports.

    Wires only: what the component says of cycles holds here too. Its `ready` comes from registers, so
    no path leads from an input to an output without one.

    Args:
        component: all its members are streams.

    Members:
        aclk, aresetn: clock and synchronous reset, active low.
        NAME_tdata, NAME_tvalid, NAME_tready, NAME_tlast: see `AxiPort`.

    Raises:
        InputError: see `axi_ports`.
    """

    def __init__(self, component: wiring.Component) -> None:
        self._component = component
        self.ports = axi_ports(component.signature)
        members = {"aclk": In(1), "aresetn": In(1)}
        for port in self.ports:
            forth, back = (In, Out) if port.direction == "in" else (Out, In)
            shapes = {"tdata": 8 * port.tdata_bytes, "tvalid": 1, "tlast": 1}
            for signal in port.signals:
                end = signal.removeprefix(f"{port.name}_")
                members[signal] = back(1) if end == "tready" else forth(shapes[end])
        super().__init__(members)

    def elaborate(self, platform: object) -> Module:
        m = Module()
        m.domains.sync = ClockDomain(local=True)
        m.d.comb += [ClockSignal().eq(self.aclk), ResetSignal().eq(~self.aresetn)]
        m.submodules[CORE] = self._component
        for port in self.ports:
            inner = getattr(self._component, port.stream)
            payload = Value.cast(inner.payload)
            tdata, tvalid, tready = (
                getattr(self, f"{port.name}_{end}") for end in ("tdata", "tvalid", "tready")
            )
            last = [getattr(self, f"{port.name}_tlast")] if port.tlast else []
            outside = Cat(tdata[: port.layout["width"]], *last)
            if port.direction == "in":
                m.d.comb += [inner.valid.eq(tvalid), tready.eq(inner.ready), payload.eq(outside)]
            else:
                m.d.comb += [tvalid.eq(inner.valid), inner.ready.eq(tready), outside.eq(payload)]
        return m


@dataclass(frozen=True, kw_only=True)
class AxiManifest:
    """What a driver needs to know about the IP.

    Attributes:
        name: the Verilog module.
        streams: its ports, in the order of the component's signature.
        parameters: what it was generated from, as plain values.
        latency: cycles, by the name of what is counted.
        bus, clock, reset: the same for every IP.
    """

    name: str
    streams: tuple[AxiPort, ...]
    parameters: Mapping[str, Any]
    latency: Mapping[str, int]
    bus: str = BUS
    clock: str = "aclk"
    reset: str = "aresetn"

    def to_json(self) -> str:
        return json.dumps(asdict(self), indent=2) + "\n"

    @classmethod
    def from_json(cls, text: str) -> "AxiManifest":
        table = json.loads(text)
        table["streams"] = tuple(AxiPort(**port) for port in table["streams"])
        return cls(**table)


def core_file(name: str) -> str:
    """FuseSoC core file (CAPI2) of NAME.v with its manifest NAME.json."""
    return f"""CAPI=2:
name: onespike::{name}:{VERSION}
description: Spiking attention with AXI4-Stream ports

filesets:
  rtl:
    files:
      - {name}.v: {{file_type: verilogSource}}
  manifest:
    files:
      - {name}.json: {{file_type: user}}

targets:
  default:
    filesets: [rtl, manifest]
    toplevel: {name}
  lint:
    description: Verilator reads the Verilog
    flow: lint
    flow_options:
      tool: verilator
      verilator_options: [{", ".join(LINT)}]
    filesets: [rtl]
    toplevel: {name}
"""


def write_axi(
    component: wiring.Component,
    name: str,
    directory: Path,
    parameters: Mapping[str, Any],
    latency: Mapping[str, int],
    about: str = "",
) -> tuple[Path, ...]:
    """Write NAME.v, NAME.json and NAME.core into a directory, which is made if absent.

    Args:
        about: see `hw.export.verilog.write`.

    Returns:
        The paths.

    Raises:
        InputError: see `axi_ports`.
    """
    try:
        axi_ports(component.signature)
    except InputError:
        ports_only(component)
        raise
    wrapped = AxiStream(component)
    text, _ = export(wrapped, name, sources=bool(about))
    manifest = AxiManifest(
        name=name, streams=wrapped.ports, parameters=dict(parameters), latency=dict(latency)
    )
    if about:
        text = header(about, parameters, wrapped.ports) + text
    contents = {f"{name}.v": text, f"{name}.json": manifest.to_json(), f"{name}.core": core_file(name)}
    return write_files(directory, contents)
