"""Place and route once more: the clock that other seeds reach, of a build whose netlist is there."""

import json
import os
import time
from collections.abc import Callable, Mapping
from pathlib import Path

from synth import commands
from synth.boards import Board
from synth.flow import PLACE, OnStage, log_name
from synth.report import BuildReport, reached
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


def reach_with_seeds(
    directory: Path,
    report: BuildReport,
    board: Board,
    clock: float,
    seeds: int,
    tools: Mapping[str, Tool],
    on_stage: OnStage,
) -> dict[int, float]:
    """MHz that a finished build reaches with its own seed and with seeds 1 to `seeds`, by seed.

    Args:
        directory, clock: see `reach_again`.
        report: of the build.
        on_stage: see `synth.flow.build`.

    Raises:
        ToolError: place and route failed.
    """
    found = {report.seed: report.fmax_mhz}
    for seed in range(1, seeds + 1):
        if seed == report.seed:
            continue
        name, begin = f"{PLACE}, seed {seed}", time.monotonic()

        def heartbeat(seconds: float, name: str = name) -> None:
            on_stage(name, "running", seconds)

        found[seed] = round(reach_again(directory, board, clock, seed, tools, heartbeat), 2)
        on_stage(name, "done", time.monotonic() - begin)
    return found
