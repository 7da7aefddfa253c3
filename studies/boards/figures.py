"""All figures of a build: what it costs, and what it does at its clock."""

from dataclasses import asdict
from typing import Any

from studies.boards.throughput import Throughput
from synth.boards import Board
from synth.flow import Build
from synth.report import BuildReport
from synth.tools import Origin, find_tools
from synth.units import measure_units


def figures(
    made: Build, board: Board, throughput: Throughput, tools: Origin = "auto", *, units: bool = False
) -> dict[str, Any]:
    """Figures of a build as JSON: its report, and what the cycle model says of it.

    Args:
        units: also the resources by unit, under `units`; takes another synthesis the first time.

    Raises:
        ToolError: that synthesis failed.
    """
    found = report_figures(made.report, throughput)
    if units:
        found["units"] = measure_units(made.directory, board, find_tools(["yosys"], tools))
    return found


def report_figures(report: BuildReport, throughput: Throughput) -> dict[str, Any]:
    """A report as JSON, with throughput at its clock; at what it reached where that is less."""
    clock = min(report.clock_mhz, report.fmax_mhz)
    return asdict(report) | {"closed": report.closed, "throughput": throughput(clock)}
