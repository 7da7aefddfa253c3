"""The command lines of the stages, and the files they start from."""

import re
from collections.abc import Iterator

from amaranth.hdl import Elaboratable

from synth.boards import Board

TOP = "top"
STATISTICS = "resources.json"
TIMING = "timing.json"
NETLIST = f"{TOP}.json"

# Options of synth_<family>; multipliers are never wanted, so that one would show as logic. The placer for
# Gowin parts finds no places for many small LUT RAMs
SYNTHESIS = {
    "ecp5": f"synth_ecp5 -nodsp -top {TOP}",
    "ice40": f"synth_ice40 -device u -top {TOP}",
    "gowin": f"synth_gowin -nodsp -nolutram -family gw1n -top {TOP}",
}
# Amaranth names an element of an array \a[0] beside the array \a; the reintegration after ABC9 (Yosys
# 0.70) takes that name for bit 0 of \a, fails or joins the wrong wires. Private names do not clash.
HIDE_ELEMENTS = ("rename -hide w:*[[]*",)
# nextpnr's default placer leaves a core of 64 lanes half as much wire again, and misses its clock
PLACER = {"ecp5": ("--placer", "static"), "ice40": (), "gowin": ()}
CONSTRAINTS = {"ecp5": f"{TOP}.lpf", "ice40": f"{TOP}.pcf", "gowin": f"{TOP}.cst"}
ROUTED = {"ecp5": f"{TOP}.config", "ice40": f"{TOP}.asc", "gowin": f"{TOP}.pnr.json"}


def generate(board: Board, top: Elaboratable) -> dict[str, str]:
    """Files that the tools start from: the design as RTLIL, the pins, the synthesis script."""
    # No source positions: the text depends on the hardware alone
    plan = board.make_platform().prepare(top, TOP, emit_src=False)
    constraints = CONSTRAINTS[board.family.name]
    return {
        f"{TOP}.il": plan.files[f"{TOP}.il"],
        constraints: re.sub(r"(?m)^\s*(//|#) Automatically generated.*$", "", plan.files[constraints]),
        f"{TOP}.ys": synthesis_script(board.family.name, f"-json {NETLIST}", STATISTICS),
    }


def synthesis_script(family: str, options: str, statistics: str) -> str:
    """Script that synthesises `top.il` with more options, and writes the cells it needs."""
    return "\n".join((f"read_rtlil {TOP}.il", *synthesis(family, options, statistics))) + "\n"


def synthesis(family: str, options: str, statistics: str) -> tuple[str, ...]:
    """Commands that synthesise the module `top`, and write the cells it needs to `statistics`."""
    return (*HIDE_ELEMENTS, f"{SYNTHESIS[family]} {options}", f"tee -o {statistics} stat -json")


def stages(board: Board, clock: float, seed: int) -> Iterator[tuple[str, str, tuple[str, ...]]]:
    """(stage, tool, arguments) in order."""
    family = board.family
    yield "synthesise", "yosys", (f"{TOP}.ys",)
    constraints, routed = CONSTRAINTS[family.name], ROUTED[family.name]
    files = {
        "ecp5": ("--lpf", constraints, "--textcfg", routed),
        "ice40": ("--pcf", constraints, "--asc", routed),
        "gowin": ("--vopt", f"cst={constraints}", "--write", routed),
    }[family.name]
    yield (
        "place and route",
        family.place_and_route,
        (
            *board.place_options,
            *PLACER[family.name],
            *("--json", NETLIST, *files, "--report", TIMING),
            *("--seed", str(seed), "--freq", f"{clock / 1e6:g}", "--timing-allow-fail"),
        ),
    )
    bitstream = f"{TOP}{board.suffix}"
    yield (
        "pack",
        family.pack,
        {
            "ecp5": ("--compress", "--input", routed, "--bit", bitstream),
            "ice40": (routed, bitstream),
            "gowin": ("-d", "GW1N-9C", "--sspi_as_gpio", "--mspi_as_gpio", "-o", bitstream, routed),
        }[family.name],
    )
