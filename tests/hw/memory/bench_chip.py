"""The model of the chip names every rule that is broken, and none that is kept by the last cycle."""

from typing import Any

import cocotb
from cocotb.clock import Clock
from cocotb.triggers import ClockCycles, RisingEdge

from hw.memory.controller import MODE, Command
from tests.hw.memory.bench_memory import text

A, R, W, P = Command.ACTIVATE, Command.READ, Command.WRITE, Command.PRECHARGE
F, M = Command.REFRESH, Command.SET_MODE
POWER_UP = 205  # cycles of 10 ns
ALL = 1 << 10
LATE = None
# Rule, cycles that are just enough for it, and commands: cycles after the one before, command, bank, address.
# `LATE` stands for those cycles, and for one fewer
RULES: list[tuple[str, int, list[tuple[int | None, Command, int, int]]]] = [
    ("tRCD", 3, [(3, A, 0, 5), (LATE, R, 0, 0)]),
    ("tRCD", 3, [(3, A, 2, 5), (LATE, W, 2, 0)]),
    ("tRP", 3, [(3, A, 0, 5), (9, P, 0, 0), (LATE, A, 0, 6)]),
    ("tRP", 3, [(3, A, 0, 5), (9, P, 0, ALL), (LATE, F, 0, 0)]),
    ("tRC", 9, [(3, A, 0, 5), (5, P, 0, 0), (LATE, A, 0, 6)]),
    ("tRAS", 5, [(3, A, 1, 5), (LATE, P, 1, 0)]),
    ("tRRD", 2, [(3, A, 1, 5), (LATE, A, 2, 0)]),
    ("tRFC", 7, [(3, F, 0, 0), (LATE, A, 0, 0)]),
    ("tRFC", 7, [(3, F, 0, 0), (LATE, F, 0, 0)]),
    ("tMRD", 2, [(LATE, A, 0, 0)]),
    ("tWR", 2, [(3, A, 1, 5), (9, W, 1, 0), (LATE, P, 1, 0)]),
]
# What breaks a rule whenever it is done
NEVER: list[tuple[str, list[tuple[int | None, Command, int, int]]]] = [
    ("row not open", [(3, R, 0, 0)]),
    ("row not open", [(3, A, 0, 5), (5, W, 1, 0)]),
    ("row is open", [(3, A, 0, 5), (12, A, 0, 6)]),
    ("row is open", [(3, A, 0, 5), (12, F, 0, 0)]),
    ("row is open", [(3, A, 0, 5), (12, M, 0, MODE)]),
    ("row", [(3, A, 0, 8)]),
    ("column", [(3, A, 0, 5), (5, R, 0, 16)]),
    ("column", [(3, A, 0, 5), (5, W, 0, 1 << 9)]),
    ("auto-precharge", [(3, A, 0, 5), (5, R, 0, ALL)]),
    ("both drive", [(3, A, 0, 5), (5, R, 0, 0), (5, W, 0, 0)]),
    ("mode", [(3, M, 0, 0b0111)]),
    ("tREFI", [(800, A, 0, 0)]),
]
SET_UP = [(POWER_UP, P, 0, ALL), (3, F, 0, 0), (7, F, 0, 0), (7, M, 0, MODE)]


@cocotb.test()
async def rules_are_watched(dut: Any) -> None:
    clock = dut.clk
    Clock(clock, 10, unit="ns").start()
    dut.rst.value = 0

    def pin(name: str) -> Any:
        return getattr(dut, f"chip__{name}")

    def put(command: Command, bank: int = 0, address: int = 0) -> None:
        for name, bit in zip(("cs_n", "ras_n", "cas_n", "we_n"), f"{command.value:04b}", strict=True):
            pin(name).value = int(bit)
        pin("ba").value, pin("a").value = bank, address
        pin("dq_oe").value = command == Command.WRITE

    async def fault(commands: list[tuple[int, Command, int, int]]) -> str:
        pin("power").value = 0
        await ClockCycles(clock, 2)
        pin("power").value = 1
        for gap, *command in commands:
            put(Command.NOTHING)
            if gap > 1:
                await ClockCycles(clock, gap - 1)
            put(*command)
            await RisingEdge(clock)
        put(Command.NOTHING)
        await ClockCycles(clock, 2)
        return text(int(pin("fault").value))

    for name in ("dq_o", "dqm"):
        pin(name).value = 0
    pin("cke").value = 1
    for rule, enough, commands in RULES:
        for gap, want in ((enough - 1, rule), (enough, "")):
            # tRC counts from the row's opening: what is between is taken off
            spent = 5 if rule == "tRC" else 0
            timed = [(gap - spent if cycles is LATE else cycles, *rest) for cycles, *rest in commands]
            assert await fault(SET_UP + timed) == want, (rule, gap)
    for rule, commands in NEVER:
        assert await fault(SET_UP + commands) == rule, rule
    early = [(POWER_UP - 20, *SET_UP[0][1:])]
    assert await fault(early) == "power-up"
    for left_out in (0, 2):
        assert await fault(SET_UP[:left_out] + SET_UP[left_out + 1 :]) in ("not precharged", "set up")
    assert await fault([(POWER_UP, A, 0, 0)]) == "mode not set"
