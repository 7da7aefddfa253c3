"""All figures of a build: what it costs, and what it does at its clock."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from statistics import median
from typing import Any

from studies.boards.throughput import Throughput
from synth.report import BuildReport


def figures(report: BuildReport, throughput: Throughput) -> dict[str, Any]:
    """A report as JSON, with throughput at its clock; at what it reached where that is less."""
    clock = min(report.clock_mhz, report.fmax_mhz)
    return asdict(report) | {"closed": report.closed, "throughput": throughput(clock)}


def reached(row: Mapping[str, Any]) -> str:
    """MHz of figures: with several seeds, under `mhz_by_seed`, the median, and from the least to the most."""
    return spread(_found(row)) + (" (missed)" if missed(row) else "")


def missed(row: Mapping[str, Any]) -> bool:
    """Whether a seed did not reach the clock that was asked for."""
    return min(_found(row)) < row["clock_mhz"]


def _found(row: Mapping[str, Any]) -> list[float]:
    return list(row["mhz_by_seed"].values()) if "mhz_by_seed" in row else [row["fmax_mhz"]]


def spread(found: Sequence[float]) -> str:
    """The median of what seeds reached, and from the least to the most where there are several."""
    text = f"{median(found):.1f}"
    if len(found) > 1:
        text += f" ({min(found):.1f} to {max(found):.1f}, {len(found)} seeds)"
    return text
