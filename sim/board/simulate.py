"""A simulated board: the top level of a bitstream, pins and all, behind a pseudo-terminal."""

import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from sim.rtl import toolchain
from sim.rtl.cache import cached, digest
from synth.boards import Board
from synth.commands import TOP, generate
from synth.design import Design, board_top
from synth.tools import find_tools, run_tool

HERE = Path(__file__).parent
SOURCE = HERE / "board.cpp"
# As Amaranth writes Verilog, but from the very text that is synthesised
TO_VERILOG = f"read_rtlil {TOP}.il; proc -nomux -norom; memory_collect; write_verilog -norename {TOP}.v"


def compile_board(board: Board, design: Design, clock: float | None = None) -> Path:
    """Program that simulates the board, compiled unless an equal one is in build/board.

    Args:
        clock: Hz of the design; sets how many cycles a bit of the serial line lasts.

    Raises:
        InputError: the clock cannot make the board's bit rate, or there is no C++ compiler.
    """
    clock = board.clock if clock is None else clock
    text = generate(board, board_top(board, design, clock))[f"{TOP}.il"]
    models = (HERE / "models" / f"{board.family.name}.v").read_text()
    binding = "\n".join(_binding(board, clock))
    yosys = find_tools(["yosys"])["yosys"]
    flags = (*toolchain.VERILATOR_FLAGS, *toolchain.CXX_FLAGS, toolchain.FAST)
    versions = (toolchain.verilator_version(), yosys.version, *flags)
    key = digest((text, models, binding, SOURCE.read_bytes(), *versions))

    def make(directory: Path) -> None:
        toolchain.require("g++")
        scratch = directory / "obj"
        scratch.mkdir()
        (scratch / f"{TOP}.il").write_text(text)
        run_tool(yosys, ("-p", TO_VERILOG), scratch, scratch / "yosys.log")
        whole = scratch / "board.v"
        whole.write_text((scratch / f"{TOP}.v").read_text() + models)
        (scratch / "binding.h").write_text(binding)
        sources = toolchain.verilate(whole, TOP, scratch, waves=False)
        include = toolchain.verilator_root() / "include"
        runtime = [include / name for name in toolchain.RUNTIME]
        objects = toolchain.compile_objects([SOURCE, *sources, *runtime], scratch, waves=False)
        toolchain.run(("g++", "-o", directory / "board", *objects, "-lpthread"), directory)
        shutil.rmtree(scratch)

    return cached("board", key, make) / "board"


def _binding(board: Board, clock: float) -> Iterator[str]:
    """binding.h: the pins of the board, and how long a bit lasts."""
    platform = board.make_platform()

    def member(pin: str) -> str:
        # Verilator spells a second underscore in a row as a code
        return f"(dut).{pin}__io".replace("__", "___05F")

    yield '#include "Vdut.h"'
    yield f"#define PIN_CLOCK(dut) {member(f'{platform.default_clk}_0')}"
    yield f"#define PIN_RX(dut) {member('uart_0__rx')}"
    yield f"#define PIN_TX(dut) {member('uart_0__tx')}"
    yield f"constexpr unsigned DIVISOR = {board.divisor(clock)};"


@contextmanager
def running(program: Path) -> Iterator[str]:
    """Start a simulated board; yields the name of its serial port, and stops the board at the end.

    Raises:
        RuntimeError: it did not start.
    """
    with subprocess.Popen([str(program)], stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            port = process.stdout.readline().strip()
            if not port:
                raise RuntimeError(f"{program} did not start")
            yield port
        finally:
            process.kill()
