"""A simulated board: the top level of a bitstream, pins and all, behind a pseudo-terminal."""

import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from hw.export.verilog import TO_VERILOG
from sim.verilator import toolchain
from sim.verilator.cache import cached, digest
from synth.boards import Board
from synth.commands import TOP, generate
from synth.design import Design, board_top
from synth.tools import find_tools, run_tool

HERE = Path(__file__).parent
PROGRAM = "board"
# Module that holds a board and its memory
DESK = "desk"
# From the very text that is synthesised
RECIPE = f"read_rtlil {TOP}.il; {TO_VERILOG} {TOP}.v"


def compile_board(board: Board, design: Design, clock: float | None = None) -> Path:
    """Program that simulates the board, compiled unless an equal one is in the cache.

    Args:
        clock: Hz of the design; sets how many cycles a bit of the serial line lasts.

    Raises:
        InputError: the clock cannot make the board's bit rate, or there is no C++ compiler.
    """
    clock = board.clock if clock is None else clock
    top = board_top(board, design, clock)
    text = generate(board, top)[f"{TOP}.il"]
    models = {board.family.name: _model(board.family.name)}
    if top.memory:
        # its chip counts picoseconds
        models |= {"sdram": _model("sdram"), DESK: _model(DESK).replace("@PERIOD@", f"{1e12 / clock:.0f}")}
    binding = "\n".join(_desk(board, clock) if top.memory else _binding(board, clock)) + "\n"
    yosys = find_tools(["yosys"])["yosys"]
    recipe = toolchain.Recipe(main=HERE / "board.cpp")
    key = digest((text, RECIPE, *models.values(), binding, yosys.version, *recipe.key))

    def make(directory: Path) -> None:
        scratch = directory / "obj"
        scratch.mkdir()
        (scratch / f"{TOP}.il").write_text(text)
        (scratch / "binding.h").write_text(binding)
        run_tool(yosys, ("-p", RECIPE), scratch, scratch / "yosys.log")
        sources = [scratch / f"{TOP}.v", *(scratch / f"{name}.v" for name in models)]
        for name, model in models.items():
            (scratch / f"{name}.v").write_text(model)
        toolchain.compile_model(recipe, sources, DESK if top.memory else TOP, scratch, directory / PROGRAM)
        shutil.rmtree(scratch)

    return cached("board", key, make) / PROGRAM


def _model(name: str) -> str:
    """Verilog of what is beside a design."""
    return (HERE / "models" / f"{name}.v").read_text()


def _binding(board: Board, clock: float) -> Iterator[str]:
    """binding.h: the pins of the board, and how long a bit lasts."""
    platform = board.make_platform()

    def member(pin: str) -> str:
        # Verilator spells a second underscore in a row as a code
        return f"(dut).{pin}__io".replace("__", "___05F")

    yield '#include "Vtop.h"'
    yield f"#define PIN_CLOCK(dut) {member(f'{platform.default_clk}_0')}"
    yield f"#define PIN_RX(dut) {member('uart_0__rx')}"
    yield f"#define PIN_TX(dut) {member('uart_0__tx')}"
    yield "#define BROKEN(dut) false"
    yield f"constexpr unsigned DIVISOR = {board.divisor(clock)};"


def _desk(board: Board, clock: float) -> Iterator[str]:
    """The same for a board with a memory, whose pins are inside."""
    yield '#include "Vtop.h"'
    for pin, port in (("CLOCK", "clock"), ("RX", "rx"), ("TX", "tx")):
        yield f"#define PIN_{pin}(dut) (dut).{port}"
    yield "#define BROKEN(dut) (dut).broken"
    yield f"constexpr unsigned DIVISOR = {board.divisor(clock)};"


@contextmanager
def started(program: Path) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """Start a simulated board; yields the process and the name of its serial port, and ends it at the end.

    Raises:
        RuntimeError: it did not start.
    """
    with subprocess.Popen([str(program)], stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            port = process.stdout.readline().strip()
            if not port:
                raise RuntimeError(f"{program} did not start")
            yield process, port
        finally:
            process.kill()


@contextmanager
def running(program: Path) -> Iterator[str]:
    """As `started`; yields the port alone."""
    with started(program) as (_, port):
        yield port
