"""Compiled simulators of components, cached by what they are made from."""

import shutil
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from amaranth.lib import wiring

from hw.export import Manifest, PlainPort, StreamPort, export
from sim.rtl import toolchain
from sim.rtl.cache import cached, digest
from sim.rtl.simulator import Simulator

HARNESS = toolchain.HERE / "harness.cpp"


def build(
    component: wiring.Component,
    name: str,
    *,
    parameters: Mapping[str, Any] | None = None,
    latency: Mapping[str, int] | None = None,
) -> Simulator:
    """Simulator of a component, compiled unless an equal one is in build/verilator.

    Args:
        component: not elaborated yet.
        name: name of the Verilog module.
        parameters, latency: kept in the manifest.

    Raises:
        InputError: the component cannot be exported, or there is no C++ compiler.
    """
    return build_verilog(*export(component, name, parameters=parameters, latency=latency))


def build_verilog(verilog: str, manifest: Manifest) -> Simulator:
    """Simulator of exported Verilog."""

    def library(waves: bool) -> Path:
        return compile_model(verilog, manifest, waves)

    return Simulator(manifest, library)


def compile_model(verilog: str, manifest: Manifest, waves: bool) -> Path:
    """Shared library of a model and its harness, with or without FST traces."""
    binding = "\n".join(_binding(manifest)) + "\n"
    flags = " ".join((*toolchain.VERILATOR_FLAGS, *toolchain.CXX_FLAGS, toolchain.FAST))
    base = (toolchain.verilator_version(), flags, str(waves))
    key = digest((verilog, binding, HARNESS.read_bytes(), *base))

    def make(directory: Path) -> None:
        toolchain.require("g++")
        runtime = cached("verilator", f"runtime-{digest(base)}", lambda path: _runtime(path, waves))
        scratch = directory / "obj"
        scratch.mkdir()
        source = directory / f"{manifest.name}.v"
        source.write_text(verilog)
        (scratch / "binding.h").write_text(binding)
        sources = toolchain.verilate(source, manifest.name, scratch, waves)
        objects = toolchain.compile_objects([HARNESS, *sources], scratch, waves)
        toolchain.link([*objects, *sorted(runtime.glob("*.o"))], directory / "model.so")
        shutil.rmtree(scratch)

    return cached("verilator", key, make) / "model.so"


def _runtime(directory: Path, waves: bool) -> None:
    """Verilator's own library, compiled once for all models."""
    names = toolchain.RUNTIME + (toolchain.RUNTIME_WAVES if waves else ())
    include = toolchain.verilator_root() / "include"
    toolchain.compile_objects([include / name for name in names], directory, waves)


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
