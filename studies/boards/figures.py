"""All figures of a build: what it costs, and what it does at its clock."""

from dataclasses import asdict
from typing import Any

from studies.boards.throughput import Throughput
from synth.report import BuildReport


def figures(report: BuildReport, throughput: Throughput) -> dict[str, Any]:
    """A report as JSON, with throughput at its clock; at what it reached where that is less."""
    clock = min(report.clock_mhz, report.fmax_mhz)
    return asdict(report) | {"closed": report.closed, "throughput": throughput(clock)}
