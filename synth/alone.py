"""What an attention engine costs on the main board's ECP5, alone: cells, and timing once placed and routed.

Its streams are pins, so it is smaller than a bitstream, which `onespike synth` makes.
"""

import json
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

from amaranth.lib import wiring

from hw.export.verilog import export
from synth.boards import find_board
from synth.commands import NETLIST, TIMING, TOP, synthesis
from synth.netlist import pack, resources_of
from synth.tools import Tool, find_tools, run_tool

BOARD = find_board("ulx3s-85f")


def synthesise(
    component: wiring.Component,
    parameters: Mapping[str, Any],
    folder: Path,
    yosys: Tool,
    dsp: bool = False,
) -> dict[str, Any]:
    """Resources of a component after synthesis; the netlist stays in the folder.

    Args:
        dsp: use DSP blocks; without, a component must not multiply.

    Raises:
        ToolError: synthesis failed, or the component multiplies and may not.
    """
    folder.mkdir(parents=True, exist_ok=True)
    verilog, _ = export(component, TOP, parameters=parameters)
    (folder / f"{TOP}.v").write_text(verilog)
    script = (
        f"read_verilog {TOP}.v",
        f"hierarchy -top {TOP}",
        "proc",
        "flatten",
        *([] if dsp else ["select -assert-none t:$mul"]),
        *synthesis(BOARD.family, f"-json {NETLIST}", dsp=dsp),
    )
    (folder / f"{TOP}.ys").write_text("\n".join(script) + "\n")
    run_tool(yosys, (f"{TOP}.ys",), folder, folder / "synthesise.log")
    return asdict(resources_of(pack(folder / NETLIST, BOARD.family), BOARD.family))


def route(
    folder: Path, seed: int, frequency: float, nextpnr: Tool, pins: str | None = None
) -> dict[str, Any]:
    """Place and route; highest clock frequency in MHz, and cells as placed.

    Args:
        frequency: target in MHz.
        pins: file in the folder that says where pins are; None to leave that open.

    Raises:
        ToolError: it failed.
    """
    arguments = (
        *BOARD.place_options,
        *BOARD.family.placer,
        *("--json", NETLIST, "--report", TIMING, "--seed", str(seed), "--freq", f"{frequency:g}"),
        *("--lpf-allow-unconstrained", "--timing-allow-fail"),
        *(("--lpf", pins) if pins else ()),
    )
    seconds = run_tool(nextpnr, arguments, folder, folder / "place-and-route.log")
    timing = json.loads((folder / TIMING).read_text())
    return {
        "fmax_mhz": round(min(clock["achieved"] for clock in timing["fmax"].values()), 2),
        "placed_logic": timing["utilization"]["TRELLIS_COMB"]["used"],
        "seed": seed,
        "target_mhz": frequency,
        "seconds": round(seconds, 1),
    }


def measure_alone(
    component: wiring.Component,
    parameters: Mapping[str, Any],
    folder: Path,
    *,
    frequency: float | None,
    seed: int,
    dsp: bool = False,
) -> dict[str, Any]:
    """Resources, and clock where it is placed and routed, with the versions of the tools.

    Args:
        component, parameters, folder, dsp: see `synthesise`.
        frequency: target of place and route in MHz; None to leave that out.
        seed: of placement.

    Raises:
        InputError: a tool is missing.
        ToolError: see `synthesise` and `route`.
    """
    tools = find_tools(("yosys", BOARD.family.place_and_route))
    result = synthesise(component, parameters, folder, tools["yosys"], dsp)
    if frequency is not None:
        result |= route(folder, seed, frequency, tools[BOARD.family.place_and_route])
    return result | {"tools": {name: tool.version for name, tool in tools.items()}}
