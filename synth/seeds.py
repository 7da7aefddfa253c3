"""Place and route once more: the clock that other seeds reach, of a build whose netlist is there."""

import json
import os
from collections.abc import Callable, Mapping
from pathlib import Path

from synth import commands
from synth.boards import Board
from synth.flow import PLACE, log_name
from synth.report import reached
from synth.tools import Tool, run_tool


def reach_again(
    directory: Path,
    board: Board,
    clock: float,
    seed: int,
    tools: Mapping[str, Tool],
    heartbeat: Callable[[float], None] | None = None,
) -> float:
    """MHz that the netlist of a finished build reaches with a seed; what the tool wrote stays.

    Args:
        directory: of the build.
        clock: Hz that is asked for.

    Raises:
        ToolError: place and route failed.
    """
    folder = directory / f"seed-{seed}"
    timing = folder / commands.TIMING
    if not timing.exists():
        folder.mkdir(exist_ok=True)
        for name in (commands.NETLIST, f"{commands.TOP}{board.family.constraints}"):
            if not (folder / name).exists():
                os.link(directory / name, folder / name)
        stages = commands.stages(board, clock, seed)
        tool, arguments = next((tool, words) for stage, tool, words in stages if stage == PLACE)
        run_tool(tools[tool], arguments, folder, folder / log_name(PLACE), heartbeat)
        (folder / f"{commands.TOP}{board.family.placed}").unlink()
    return reached(json.loads(timing.read_text()))
