"""The command lines of the stages, and the files they start from."""

import re
from collections.abc import Iterator

from amaranth.hdl import Elaboratable

from synth.boards import Board
from synth.families import Family

TOP = "top"
TIMING = "timing.json"
NETLIST = f"{TOP}.json"

# Amaranth names an element of an array \a[0] beside the array \a; the reintegration after ABC9 (Yosys
# 0.70) takes that name for bit 0 of \a, fails or joins the wrong wires. Private names do not clash.
HIDE_ELEMENTS = ("rename -hide w:*[[]*",)
# What `hw.parts.memory.NO_COLLISION` says: Yosys reads it of memories in Verilog, not of those in RTLIL. A
# bit for each port that reads
NO_COLLISION = (
    "proc",
    "memory_collect",
    *(
        f"setparam -set RD_COLLISION_X_MASK {ports}'b{'1' * ports} a:no_rw_check r:RD_PORTS={ports} %i"
        for ports in (1, 2)
    ),
)
# What `hw.parts.register.KEPT` says: Yosys follows it of cells, and reads it of the signals behind them
KEPT = ("setattr -set keep 1 */a:keep %ci1 */t:*dff* %i",)


def generate(board: Board, top: Elaboratable, *, dsp: bool = False) -> dict[str, str]:
    """Files that the tools start from: the design as RTLIL, the pins, the synthesis script."""
    # No source positions: the text depends on the hardware alone
    plan = board.make_platform().prepare(top, TOP, emit_src=False)
    constraints = f"{TOP}{board.family.constraints}"
    return {
        f"{TOP}.il": plan.files[f"{TOP}.il"],
        constraints: re.sub(r"(?m)^\s*(//|#) Automatically generated.*$", "", plan.files[constraints]),
        f"{TOP}.ys": synthesis_script(board.family, f"-json {NETLIST}", dsp=dsp),
    }


def synthesis_script(family: Family, options: str, *, dsp: bool = False) -> str:
    """Script that synthesises `top.il` with more options."""
    commands = (f"read_rtlil {TOP}.il", *NO_COLLISION, *synthesis(family, options, dsp=dsp))
    return "\n".join(commands) + "\n"


def synthesis(family: Family, options: str, *, dsp: bool = False) -> tuple[str, ...]:
    """Commands that synthesise the module `top`.

    Args:
        dsp: use the device's DSP blocks.
    """
    command = family.multiplying if dsp else family.synthesis
    kept = KEPT if family.keeps_registers else ()
    halves: tuple[str, ...] = (f"{command} -top {TOP} {options}",)
    if family.before_gates:
        halves = (
            *(f"{command} -top {TOP} -run begin:map_gates", *family.before_gates),
            f"{command} -top {TOP} -run map_gates: {options}",
        )
    return (*kept, *HIDE_ELEMENTS, *halves)


def stages(board: Board, clock: float, seed: int) -> Iterator[tuple[str, str, tuple[str, ...]]]:
    """(stage, tool, arguments) in order."""
    family = board.family
    yield "synthesise", "yosys", (f"{TOP}.ys",)
    files = {
        "constraints": f"{TOP}{family.constraints}",
        "routed": f"{TOP}{family.routed}",
        "placed": f"{TOP}{family.placed}",
        "bitstream": f"{TOP}{board.suffix}",
    }
    yield (
        "place and route",
        family.place_and_route,
        (
            *board.place_options,
            *family.placer,
            *("--json", NETLIST, *(word.format(**files) for word in family.place), "--report", TIMING),
            *("--seed", str(seed), "--freq", f"{clock / 1e6:g}", "--timing-allow-fail"),
        ),
    )
    words = (word.format(**files) for word in family.pack_words)
    yield "pack", family.pack, (*board.pack_options, *words)
