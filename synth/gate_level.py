"""The netlist after synthesis as Verilog that can be simulated, with Yosys's models of its cells."""

import tempfile
from pathlib import Path

from golden.errors import InputError
from synth.commands import HIDE_ELEMENTS
from synth.tools import find_tools, run_tool

# Block RAM of the ECP5 and of the Gowin parts is a black box among Yosys's cells: memories become
# LUT RAM and registers there, which have models. The iCE40 keeps its block RAM.
SYNTHESIS = {
    "ecp5": "synth_ecp5 -nodsp -nobram -top {name}",
    "ice40": "synth_ice40 -device u -top {name}",
    "gowin": "synth_gowin -nodsp -nobram -noiopads -family gw1n -top {name}",
}
MODELS = {
    "ecp5": "read_verilog -overwrite +/ecp5/cells_sim.v",
    "ice40": "read_verilog -overwrite -D ICE40_U +/ice40/cells_sim.v",
    "gowin": "read_verilog -overwrite +/gowin/cells_sim.v",
}


def gate_level(verilog: str, name: str, family: str) -> str:
    """Synthesise a module for a device family.

    Args:
        verilog: source of the module, as `hw.export.export` writes it.
        name: of the module.
        family: ecp5, ice40 or gowin.

    Returns:
        Verilog of the netlist, each cell replaced by its model; ports as in the source.

    Raises:
        InputError: the family is unknown.
        ToolError: synthesis failed.
    """
    if family not in SYNTHESIS:
        raise InputError(f"family must be one of {', '.join(SYNTHESIS)}, not {family!r}")
    commands = (
        "read_verilog source.v",
        *HIDE_ELEMENTS,
        SYNTHESIS[family].format(name=name),
        "write_verilog -noattr netlist.v",
        # Begin anew with nothing but what was written
        "design -reset",
        "read_verilog netlist.v",
        MODELS[family],
        f"hierarchy -check -top {name}",
        "proc",
        "flatten",
        "clean",
        "write_verilog -noattr flat.v",
    )
    tool = find_tools(["yosys"])["yosys"]
    with tempfile.TemporaryDirectory() as scratch:
        directory = Path(scratch)
        (directory / "source.v").write_text(verilog)
        (directory / "synthesise.ys").write_text("\n".join(commands) + "\n")
        run_tool(tool, ("synthesise.ys",), directory, directory / "synthesise.log")
        return (directory / "flat.v").read_text()
