"""Runs a cocotb bench on a component, from pytest.

The environment variable SIM picks the simulator: verilator (default) or icarus. SEED is the seed of
every random choice in the benches (default 1).
"""

import contextlib
import os
import shutil
from collections.abc import Callable, Sequence
from pathlib import Path
from xml.etree import ElementTree

import cocotb_tools.config
import pytest
from amaranth.lib import wiring
from cocotb_tools.runner import get_runner

from hw.export.verilog import Manifest, write
from sim.verilator.cache import cached, digest
from sim.verilator.toolchain import Recipe, compile_model

SIMULATORS = ("verilator", "icarus")


def run_bench(
    component: wiring.Component,
    name: str,
    bench: str,
    parameters: dict,
    directory: Path,
    transform: Callable[[str], str] = lambda verilog: verilog,
) -> None:
    """Run all cocotb tests of a module on a component; fail with what they say.

    Args:
        component: not elaborated yet.
        name: name of the Verilog module.
        bench: Python module that holds the cocotb tests.
        parameters: plain values that the tests find in the manifest.
        directory: empty folder for files of this run.
        transform: makes what is simulated from the component's Verilog; the ports stay the same.
    """
    verilog, manifest = write(component, name, directory, parameters, {})
    verilog.write_text(transform(verilog.read_text()))
    run_verilog(verilog, manifest, port_names(Manifest.from_json(manifest.read_text())), bench)


def run_verilog(verilog: Path, manifest: Path, ports: Sequence[str], bench: str) -> None:
    """Run all cocotb tests of a module on the Verilog module NAME in NAME.v; fail with what they say.

    Args:
        verilog: in a folder of its own, where the files of this run go.
        manifest: file that the tests find by the environment variable BENCH_MANIFEST.
        ports: what the tests may look at.
        bench: Python module that holds the cocotb tests.
    """
    name, directory = verilog.stem, verilog.parent
    simulator = os.environ.get("SIM", "verilator")
    if simulator not in SIMULATORS:
        pytest.fail(f"SIM must be one of {', '.join(SIMULATORS)}, not {simulator!r}")
    if simulator == "icarus" and shutil.which("iverilog") is None:
        pytest.skip("SIM=icarus, but iverilog is not on PATH (Debian and Ubuntu: apt-get install iverilog)")
    runner = get_runner(simulator)
    if simulator == "verilator":
        program = _verilator_program(verilog, ports)
    else:
        program = directory
        runner.build(
            sources=[verilog],
            hdl_toplevel=name,
            build_dir=program,
            timescale=("1ns", "1ns"),
            # Yosys writes Verilog of 2005: later standards set registers without an event at the
            # start, and blocks of gates that wait for one would not run
            build_args=["-g2005"],
        )
    seed = os.environ.get("SEED", "1")
    log, results = directory / "bench.log", directory / "results.xml"
    with contextlib.suppress(SystemExit):  # also raised for failed tests, which are reported below
        runner.test(
            test_module=bench,
            hdl_toplevel=name,
            hdl_toplevel_lang="verilog",
            build_dir=program,
            test_dir=directory,
            results_xml=str(results),
            log_file=log,
            seed=seed,
            extra_env={"BENCH_MANIFEST": str(manifest), "COCOTB_ANSI_OUTPUT": "0"},
        )
    if not results.exists():
        pytest.fail(f"{bench} on {name} ended without results (seed {seed}):\n{log.read_text()[-3000:]}")
    cases = list(ElementTree.parse(results).getroot().iter("testcase"))
    failed = [case for case in cases if any(child.tag in ("failure", "error") for child in case)]
    assert cases, f"{bench} holds no cocotb test"
    lines = [f"{case.get('name')}: {_reason(case)} (seed {seed})" for case in failed]
    if lines:
        pytest.fail("\n".join(lines), pytrace=False)


def _reason(case: ElementTree.Element) -> str:
    return next(child.get("message", "") for child in case if child.tag in ("failure", "error"))


def port_names(manifest: Manifest) -> list[str]:
    """All ports of a module with streams."""
    ports = [manifest.clock, manifest.reset, *(port.name for port in manifest.ports)]
    for stream in manifest.streams:
        ports += [f"{stream.name}__payload"] if stream.width else []
        ports += [] if stream.always_valid else [f"{stream.name}__valid"]
        ports += [] if stream.always_ready else [f"{stream.name}__ready"]
    return [port for port in ports if port]


def _verilator_program(verilog: Path, ports: Sequence[str]) -> Path:
    """Folder of the compiled program; built unless an equal one is in the cache.

    Only the ports can be seen from the bench: that keeps compilation short.
    """
    name = verilog.stem
    visible = [f'public_flat_rw -module "{name}" -var "{port}"' for port in ports]
    control = "\n".join(("`verilator_config", *visible, ""))
    libraries = cocotb_tools.config.libs_dir
    recipe = Recipe(
        main=cocotb_tools.config.share_dir / "lib" / "verilator" / "verilator.cpp",
        verilator_flags=("--vpi",),
        defines=("VM_TRACE=0", "VM_COVERAGE=0"),
        runtime=("verilated.cpp", "verilated_threads.cpp", "verilated_vpi.cpp"),
        link_flags=(f"-L{libraries}", f"-Wl,-rpath,{libraries}", "-lcocotbvpi_verilator"),
        quick=True,
    )

    def make(directory: Path) -> None:
        scratch = directory / "obj"
        scratch.mkdir()
        (scratch / "ports.vlt").write_text(control)
        sources = [scratch / "ports.vlt", verilog]
        compile_model(recipe, sources, name, scratch, directory / name)
        shutil.rmtree(scratch)

    return cached("verilator", digest((verilog.read_text(), control, *recipe.key)), make)
