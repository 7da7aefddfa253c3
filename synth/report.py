"""Figures of a build, as data."""

import dataclasses
import json
import re
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from golden.errors import OutsideError
from synth.boards import Board
from synth.design import Design
from synth.netlist import Resources
from synth.tools import Tool
from synth.units import Units, unit_of


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
        paths: the longest between registers, from a pin and to a pin, see `paths`.
        units: lut4, flip_flops and block_rams by unit, see `synth.units`.
        warnings: of the tools, each once.
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
    bitstream: str
    paths: tuple[Mapping[str, Any], ...] = ()
    units: Units = field(default_factory=dict)
    warnings: tuple[str, ...] = ()
    bitstream_bytes: int = 0
    seconds: Mapping[str, float] = field(default_factory=dict)

    @property
    def closed(self) -> bool:
        """Whether the clock was reached."""
        return self.fmax_mhz >= self.clock_mhz

    def finished(
        self, *, bitstream_bytes: int, seconds: Mapping[str, float], warnings: tuple[str, ...]
    ) -> "BuildReport":
        """The report with what is known at the end."""
        rounded = {stage: round(time, 1) for stage, time in seconds.items()}
        return dataclasses.replace(self, bitstream_bytes=bitstream_bytes, seconds=rounded, warnings=warnings)

    def to_json(self) -> str:
        return json.dumps(dataclasses.asdict(self), indent=2) + "\n"

    @classmethod
    def from_json(cls, text: str) -> "BuildReport":
        table = json.loads(text)
        table |= {name: tuple(table[name]) for name in ("paths", "warnings")}
        return cls(**table)


class TimingError(OutsideError):
    """Place and route did not reach the clock; the message is one line.

    Attributes:
        report: the figures so far.
        directory: of the build.
    """

    def __init__(self, report: BuildReport, log: Path) -> None:
        self.report = report
        self.directory = log.parent
        super().__init__(
            f"{report.design} on {report.board} must reach {report.clock_mhz:g} MHz, it reached "
            f"{report.fmax_mhz:.2f} MHz with seed {report.seed} (another seed or a lower clock may do; "
            f"see {log})"
        )


def make_report(
    board: Board,
    design: Design,
    resources: Resources,
    units: Units,
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
    fmax = reached(timing)
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
        bitstream=f"top{board.suffix}",
        paths=paths(timing),
        units=units,
    )


def reached(timing: Mapping[str, Any]) -> float:
    """MHz that place and route reached, from its JSON report."""
    # The design's own clock is the slowest but for the board's oscillator, which drives nothing but the PLL
    return float(min(entry["achieved"] for entry in timing["fmax"].values()))


def paths(timing: Mapping[str, Any]) -> tuple[dict[str, Any], ...]:
    """The longest path of every pair of clocks, pins among them, the longest first.

    Each has source and target (cells), from and to (their units), through (units in between), logic_ns and
    routing_ns, and the number of cells (levels) that it passes.
    """
    cells = [
        step[end]["cell"]
        for path in timing["critical_paths"]
        for step in path["path"]
        for end in ("from", "to")
    ]
    units = {cell: unit_of(cell, attention=False) for cell in cells}
    found = []
    for path in timing["critical_paths"]:
        steps = path["path"]
        source, target = steps[0]["from"]["cell"], steps[-1]["to"]["cell"]
        through = dict.fromkeys(units[step["to"]["cell"]] for step in steps)
        ends = [path[end].startswith("<async>") for end in ("from", "to")]
        times = {
            f"{what}_ns": round(
                sum(step["delay"] for step in steps if (step["type"] == "routing") == wires), 2
            )
            for what, wires in (("logic", False), ("routing", True))
        }
        found.append(
            {
                "source": source,
                "target": target,
                "from": "a pin" if ends[0] else units[source],
                "to": "a pin" if ends[1] else units[target],
                "through": [unit for unit in through if unit not in (units[source], units[target])],
                **times,
                "levels": sum(step["type"] == "logic" for step in steps),
            }
        )
    return tuple(sorted(found, key=lambda path: path["logic_ns"] + path["routing_ns"], reverse=True))


def warnings(logs: Iterable[str]) -> tuple[str, ...]:
    """What tools warned of in their logs, each once, with how often where that is more."""
    found = Counter(match[1].strip() for log in logs for match in re.finditer(r"(?im)^warning: *(.+)$", log))
    return tuple(text if times == 1 else f"{text} ({times} times)" for text, times in found.items())
