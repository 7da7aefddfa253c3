"""The netlist after synthesis as Verilog that can be simulated, with Yosys's models of its cells."""

import tempfile
from pathlib import Path

from golden.errors import InputError, quoted
from synth.commands import HIDE_ELEMENTS, NETLIST
from synth.families import FAMILIES
from synth.netlist import pack
from synth.tools import find_tools, run_tool


def synthesis_scripts(name: str, family: str) -> tuple[str, str]:
    """What Yosys is told: source.v becomes netlist.json, and that, its carry cells packed, flat.v.

    Raises:
        InputError: the family is unknown.
    """
    if family not in FAMILIES:
        raise InputError(f"family must be one of {', '.join(FAMILIES)}, not {quoted(family)}")
    synthesise = (
        "read_verilog source.v",
        *HIDE_ELEMENTS,
        *(command.format(top=name) for command in FAMILIES[family].simulated),
        f"write_json {NETLIST}",
    )
    simulate = (
        f"read_json {NETLIST}",
        "write_verilog -noattr netlist.v",
        # Begin anew with nothing but what was written
        "design -reset",
        "read_verilog netlist.v",
        # Deferred: only the models of cells in use are elaborated, which saves two minutes on the iCE40
        f"read_verilog -overwrite -defer {FAMILIES[family].models}",
        f"hierarchy -check -top {name}",
        "proc",
        "flatten",
        # Without the names inside the models the text is half as long
        "clean -purge",
        "write_verilog -noattr flat.v",
    )
    return "\n".join(synthesise) + "\n", "\n".join(simulate) + "\n"


def gate_level(verilog: str, name: str, family: str) -> str:
    """Synthesise a module for a device family.

    Args:
        verilog: source of the module, as `hw.export.verilog.export` writes it.
        name: of the module.
        family: ecp5, ice40 or gowin.

    Returns:
        Verilog of the netlist, each cell replaced by its model; ports as in the source.

    Raises:
        InputError: the family is unknown.
        ToolError: synthesis failed.
    """
    tool = find_tools(["yosys"])["yosys"]
    synthesise, simulate = synthesis_scripts(name, family)
    with tempfile.TemporaryDirectory() as scratch:
        directory = Path(scratch)
        (directory / "source.v").write_text(verilog)

        def run(stage: str, script: str) -> None:
            (directory / f"{stage}.ys").write_text(script)
            run_tool(tool, (f"{stage}.ys",), directory, directory / f"{stage}.log")

        run("synthesise", synthesise)
        pack(directory / NETLIST, FAMILIES[family])
        run("simulate", simulate)
        return (directory / "flat.v").read_text()
