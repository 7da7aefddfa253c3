"""Figures of a build, as data."""

import dataclasses
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from golden.errors import OutsideError
from synth.boards import Board
from synth.design import Design
from synth.netlist import Resources
from synth.tools import Tool


@dataclass(frozen=True, kw_only=True)
class BuildReport:
    """Figures of a build.

    Attributes:
        board, device, design: names.
        parameters: what the component was generated from.
        lut4, flip_flops, block_rams, dsps, logic_cells: of the whole design, link included, after
            synthesis, see `synth.netlist.Resources`.
        available: of each of these, what the device has.
        lanes: token lanes.
        lut4_per_lane: all LUT4-equivalents divided by the lanes, None without lanes.
        clock_mhz: constraint.
        fmax_mhz: what place and route reached on the design's clock.
        slack_ns: of the worst path; negative if the clock was not reached.
        seed: of place and route.
        tools: version of each program.
        critical_path: cells along the worst path with delays in ns.
        bitstream: file name.
        bitstream_bytes: its size.
        seconds: time of each stage.
    """

    board: str
    device: str
    design: str
    parameters: Mapping[str, Any]
    lut4: int
    flip_flops: int
    block_rams: int
    dsps: int
    logic_cells: int
    available: Mapping[str, int]
    lanes: int
    lut4_per_lane: float | None
    clock_mhz: float
    fmax_mhz: float
    slack_ns: float
    seed: int
    tools: Mapping[str, str]
    critical_path: tuple[Mapping[str, Any], ...]
    bitstream: str
    bitstream_bytes: int = 0
    seconds: Mapping[str, float] = field(default_factory=dict)

    @property
    def closed(self) -> bool:
        """Whether the clock was reached."""
        return self.fmax_mhz >= self.clock_mhz

    def finished(self, *, bitstream_bytes: int, seconds: Mapping[str, float]) -> "BuildReport":
        """The report with what is known at the end."""
        rounded = {stage: round(time, 1) for stage, time in seconds.items()}
        return dataclasses.replace(self, bitstream_bytes=bitstream_bytes, seconds=rounded)

    def to_json(self) -> str:
        return json.dumps(dataclasses.asdict(self), indent=2) + "\n"

    @classmethod
    def from_json(cls, text: str) -> "BuildReport":
        table = json.loads(text)
        table["critical_path"] = tuple(table["critical_path"])
        return cls(**table)


class TimingError(OutsideError):
    """Place and route did not reach the clock; the message is one line.

    Attributes:
        report: the figures so far.
    """

    def __init__(self, report: BuildReport, log: Path) -> None:
        self.report = report
        super().__init__(
            f"{report.design} on {report.board} must reach {report.clock_mhz:g} MHz, it reached "
            f"{report.fmax_mhz:.2f} MHz with seed {report.seed} (another seed or a lower clock may do; "
            f"see {log})"
        )


def make_report(
    board: Board,
    design: Design,
    resources: Resources,
    timing: Mapping[str, Any],
    clock: float,
    seed: int,
    tools: Mapping[str, Tool],
) -> BuildReport:
    """Report of a placed and routed design.

    Args:
        timing: the JSON report of nextpnr.
        clock: Hz.
    """
    mhz = clock / 1e6
    # The design's own clock is the slowest but for the board's oscillator, which drives nothing but the PLL
    fmax = min(entry["achieved"] for entry in timing["fmax"].values())
    return BuildReport(
        board=board.name,
        device=board.device,
        design=design.name,
        parameters=dict(design.parameters),
        **dataclasses.asdict(resources),
        available={
            "logic_cells": board.logic_cells,
            "flip_flops": board.flip_flops,
            "block_rams": board.block_rams,
            "dsps": board.dsps,
        },
        lanes=design.lanes,
        lut4_per_lane=round(resources.lut4 / design.lanes, 1) if design.lanes else None,
        clock_mhz=mhz,
        fmax_mhz=round(fmax, 2),
        slack_ns=round(1e3 / mhz - 1e3 / fmax, 3),
        seed=seed,
        tools={name: tool.version for name, tool in tools.items()},
        critical_path=worst_path(timing),
        bitstream=f"top{board.suffix}",
    )


def worst_path(timing: Mapping[str, Any]) -> tuple[Mapping[str, Any], ...]:
    """The longest path between registers of one clock: cell, kind of delay, net, ns."""
    inside = [
        path
        for path in timing["critical_paths"]
        if path["from"] == path["to"] and not path["from"].startswith("<async>")
    ]
    if not inside:
        return ()
    longest = max(inside, key=lambda path: sum(step["delay"] for step in path["path"]))
    return tuple(
        {
            "kind": step["type"],
            "to": f"{step['to']['cell']}.{step['to']['port']}",
            "net": step.get("net", ""),
            "ns": round(step["delay"], 3),
        }
        for step in longest["path"]
    )
