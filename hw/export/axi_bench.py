"""A Verilog test bench for an IP with AXI4-Stream ports that needs nothing but a simulator.

Every stream has a file. That of an input holds a beat per line, {tlast, tdata} as one hexadecimal number
(tlast is the bit above tdata, where there is one); that of an output two such numbers, the beat that must
come and a mask of the bits that are compared. With +waves it leaves a waveform, NAME.vcd.
"""

from collections.abc import Iterator

from hw.export.axi import CORE, AxiManifest, AxiPort
from hw.export.header import VERSION

# Cycles without a beat: after the last one, in which none may follow, and after which the bench gives up
GRACE, PATIENCE = 1_000, 100_000
DUT = "dut"


def beat_file(port: AxiPort) -> str:
    """Name of the file of a stream."""
    return f"{port.name}.hex"


def bench_name(name: str) -> str:
    """Module of the bench of an IP."""
    return f"{name}_tb"


def core_path(name: str) -> str:
    """Path of the core itself in the waveforms of its bench."""
    return f"{bench_name(name)}.{DUT}.{CORE}"


def bench(manifest: AxiManifest) -> str:
    """Text of the bench, Verilog of 2005."""
    outputs = [port for port in manifest.streams if port.direction == "out"]
    counts = ", ".join(f"beats_{_stem(port)}" for port in outputs)
    words = ", ".join(f"%0d beats of {port.name}" for port in outputs)
    lines = [
        f"// Drives {manifest.name} with the beats of its input files and compares what comes out",
        "// SPDX-License-Identifier: BSD-2-Clause",
        f"module {bench_name(manifest.name)};",
        "  reg aclk = 0, aresetn = 0;",
        "  always #5 aclk = !aclk;",
        "  initial #42 aresetn = 1;",
        "",
        "  integer errors = 0, quiet = 0; // cycles without a beat",
        *(line for port in manifest.streams for line in _declared(port)),
        "",
        '  initial if ($test$plusargs("waves")) begin',
        f'    $dumpfile("{manifest.name}.vcd");',
        f"    $dumpvars(0, {bench_name(manifest.name)});",
        "  end",
        "",
        f"  {manifest.name} {DUT} (",
        "    .aclk(aclk), .aresetn(aresetn),",
        ",\n".join(
            "    " + ", ".join(f".{signal}({signal})" for signal in port.signals) for port in manifest.streams
        ),
        "  );",
        *(line for port in manifest.streams for line in (_feed(port), _check(port))[port.direction == "out"]),
        "",
        f"  wire whole = {' && '.join(f'!more_{_stem(port)}' for port in outputs)};",
        "  always @(posedge aclk) begin",
        "    quiet = quiet + 1;",
        *(f"    if ({port.name}_tvalid && {port.name}_tready) quiet = 0;" for port in manifest.streams),
        f"    if (whole && quiet > {GRACE}) begin",
        f'      if (errors == 0) $display("PASS: {words}", {counts});',
        '      else $display("FAIL: %0d beats differ", errors);',
        "      if (errors == 0) $finish; else $stop;",
        f"    end else if (quiet > {PATIENCE}) begin",
        f'      $display("FAIL: outputs must be whole, nothing came after {words}", {counts});',
        "      $stop;",
        "    end",
        "  end",
        "endmodule",
    ]
    return "\n".join(lines) + "\n"


def _stem(port: AxiPort) -> str:
    return port.name.split("_axis_")[1]


def _declared(port: AxiPort) -> Iterator[str]:
    driven, seen = ("reg", "wire") if port.direction == "in" else ("wire", "reg")
    yield ""
    yield f"  {driven} [{8 * port.tdata_bytes - 1}:0] {port.name}_tdata;"
    yield f"  {driven} {port.name}_tvalid{' = 0' if driven == 'reg' else ''};"
    yield f"  {seen} {port.name}_tready{' = 0' if seen == 'reg' else ''};"
    if port.tlast:
        yield f"  {driven} {port.name}_tlast;"


def _beat(port: AxiPort) -> tuple[str, str]:
    """The signals of a beat as the files have them, and their range."""
    signals = f"{port.name}_tdata"
    return (f"{{{port.name}_tlast, {signals}}}" if port.tlast else signals), f"[{_width(port) - 1}:0]"


def _width(port: AxiPort) -> int:
    return 8 * port.tdata_bytes + port.tlast


def _opened(port: AxiPort, read: str) -> Iterator[str]:
    """The file of a stream, and its first beat."""
    stem = _stem(port)
    yield f"  integer file_{stem};"
    yield "  initial begin"
    yield f'    file_{stem} = $fopen("{beat_file(port)}", "r");'
    yield f"    if (file_{stem} == 0) begin"
    yield f'      $display("FAIL: {beat_file(port)} must lie in the folder of the simulation, it does not");'
    yield "      $stop;"
    yield "    end"
    yield f"    more_{stem} = {read};"
    yield "  end"


def _feed(port: AxiPort) -> Iterator[str]:
    (signals, bits), stem = _beat(port), _stem(port)
    read = f'$fscanf(file_{stem}, "%h", beat_{stem}) == 1'
    yield ""
    yield f"  reg {bits} beat_{stem};"
    yield f"  reg more_{stem};"
    yield from _opened(port, read)
    yield f"  always @(posedge aclk) if (aresetn && (!{port.name}_tvalid || {port.name}_tready)) begin"
    yield f"    {signals} <= beat_{stem};"
    yield f"    {port.name}_tvalid <= more_{stem};"
    yield f"    more_{stem} = {read};"
    yield "  end"


def _check(port: AxiPort) -> Iterator[str]:
    (signals, bits), stem = _beat(port), _stem(port)
    read = f'$fscanf(file_{stem}, "%h %h", beat_{stem}, mask_{stem}) == 2'
    yield ""
    yield f"  reg {bits} beat_{stem}, mask_{stem};"
    yield f"  reg more_{stem};"
    yield f"  integer beats_{stem} = 0;"
    yield from _opened(port, read)
    yield f"  wire {bits} seen_{stem} = {signals};"
    yield "  always @(posedge aclk) begin"
    yield f"    {port.name}_tready <= aresetn;"
    yield f"    if ({port.name}_tvalid && {port.name}_tready) begin"
    yield f"      if (!more_{stem} || ((seen_{stem} ^ beat_{stem}) & mask_{stem}) !== 0) begin"
    yield "        errors = errors + 1;"
    yield f'        if (more_{stem}) $display("beat %0d of {port.name} must be %h, it is %h",'
    yield f"          beats_{stem}, beat_{stem}, seen_{stem});"
    yield f'        else $display("beat %0d of {port.name} must not be there", beats_{stem});'
    yield "      end"
    yield f"      beats_{stem} = beats_{stem} + 1;"
    yield f"      more_{stem} = {read};"
    yield "    end"
    yield "  end"


def bench_core_file(manifest: AxiManifest) -> str:
    """FuseSoC core file (CAPI2) of the bench, which depends on that of the IP."""
    name = bench_name(manifest.name)
    beats = "\n".join(
        f"      - {beat_file(port)}: {{file_type: user, copyto: {beat_file(port)}}}"
        for port in manifest.streams
    )
    return f"""CAPI=2:
name: onespike::{name}:{VERSION}
description: Test bench of {manifest.name} in Verilog, with the beats of a head and what must come back

filesets:
  bench:
    files:
      - {name}.v: {{file_type: verilogSource}}
    depend: [onespike::{manifest.name}]
  beats:
    files:
{beats}

targets:
  default: &icarus
    description: Icarus Verilog runs the bench
    flow: sim
    flow_options:
      tool: icarus
      # Later standards start registers without an event; a bench that fails ends with status 1
      iverilog_options: [-g2005]
      vvp_options: [-N]
    filesets: [bench, beats]
    toplevel: {name}
  icarus: *icarus
  verilator:
    description: Verilator runs the bench
    flow: sim
    flow_options:
      tool: verilator
      mode: binary
      # Yosys wrote the Verilog, not a person; some builds of Verilator do not ask g++ for coroutines
      verilator_options: [--timing, -CFLAGS, -fcoroutines, -Wno-fatal, -Wno-lint, -Wno-style]
    filesets: [bench, beats]
    toplevel: {name}
"""
