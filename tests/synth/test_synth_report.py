"""What is said of a build: longest paths, warnings, other seeds, and its picture."""

import dataclasses
import json
from pathlib import Path
from typing import Any

import numpy as np

from onespike.board_tables import remarks
from studies.boards.figures import reached
from studies.boards.picture import build_figure, draw, unit_map
from synth.boards import BOARDS
from synth.design import Design
from synth.flow import DIE, build
from synth.report import paths, warnings
from synth.seeds import reach_again, reach_with_seeds
from synth.tools import find_tools
from tests.synth.tool_stand_ins import StandIns


def step(kind: str, source: str, target: str, delay: float) -> dict[str, Any]:
    return {"type": kind, "delay": delay, "from": {"cell": source}, "to": {"cell": target}}


READER, LOADER, CRC, PIN = "link.reader.left", "link.component.loader.busy", "link.crc.out", "rx.buf"
TIMING = {
    "critical_paths": [
        {
            "from": "<async>",
            "to": "posedge clk",
            "path": [step("source", PIN, PIN, 0), step("routing", PIN, CRC, 1.5)],
        },
        {
            "from": "posedge clk",
            "to": "posedge clk",
            "path": [
                step("clk-to-q", READER, READER, 0.5),
                step("routing", READER, "link.component.ready", 1.0),
                step("logic", "link.component.ready", "link.component.ready", 0.25),
                step("routing", "link.component.ready", LOADER, 0.75),
                step("setup", LOADER, LOADER, 0.25),
            ],
        },
    ]
}


def test_paths_in_words() -> None:
    found = paths(TIMING)
    assert list(remarks({"paths": found, "warnings": ("a latch",)})) == [
        f"2.8 ns from link ({READER}) to loader ({LOADER}) through control: "
        "1 cells, 1.0 ns in cells, 1.8 ns in wires",
        f"1.5 ns from a pin ({PIN}) to link ({CRC}): 0 cells, 0.0 ns in cells, 1.5 ns in wires",
        "the tools warn: a latch",
    ]


def test_warnings_are_said_once() -> None:
    logs = [
        "Info: fine\nWarning: no driver\n",
        "warning: no driver\nLexer warning: of its own\nWARNING: loop\n",
    ]
    assert warnings(logs) == ("no driver (2 times)", "loop")


def test_other_seeds(tmp_path: Path, stand_ins: StandIns, echo: Design) -> None:
    board = BOARDS["icebreaker"]
    made = build(board, echo, tools="native", root=tmp_path)
    tools = find_tools(board.family.tools, "native")
    stand_ins.answer(megahertz=26)
    for _ in range(2):
        assert reach_again(made.directory, board, board.clock, 2, tools) == 26
    # The second time it is known
    assert stand_ins.ran.count("nextpnr-ice40") == 2
    assert json.loads((made.directory / DIE).read_text()) == {}
    assert made.report.fmax_mhz == 30


def test_with_several_seeds(tmp_path: Path, stand_ins: StandIns, echo: Design) -> None:
    """A build's own seed is not placed again, the others are, each as a stage."""
    board, stages = BOARDS["icebreaker"], []
    made = build(board, echo, seed=2, tools="native", root=tmp_path)
    stand_ins.answer(megahertz=26)
    by_seed = reach_with_seeds(
        made.directory,
        made.report,
        board,
        board.clock,
        3,
        find_tools(board.family.tools, "native"),
        lambda stage, state, seconds: stages.append((stage, state)),
    )
    assert by_seed == {2: 30, 1: 26, 3: 26}
    assert [stage for stage, state in stages if state == "done"] == [
        "place and route, seed 1", "place and route, seed 3",
    ]  # fmt: skip
    assert stand_ins.ran.count("nextpnr-ice40") == 3


def test_reached_with_several_seeds() -> None:
    row = {"fmax_mhz": 30.0, "clock_mhz": 25}
    assert reached(row) == "30.0"
    row["mhz_by_seed"] = {"1": 30.0, "2": 24.0, "3": 28.0}
    assert reached(row) == "28.0 (24.0 to 30.0, 3 seeds) (missed)"


def test_a_tile_belongs_to_the_unit_with_most_cells() -> None:
    places = {"link": [(0, 0), (2, 1)], "lanes": [(2, 1), (2, 1)], "unknown": [(9, 9)]}
    assert np.array_equal(unit_map(places, {"link": 1, "lanes": 2}), [[1, 0, 0], [0, 0, 2]])


def test_picture_names_its_units(tmp_path: Path, stand_ins: StandIns, echo: Design) -> None:
    report = build(BOARDS["icebreaker"], echo, tools="native", root=tmp_path).report
    units = {"link": {"lut4": 60}, "board": {"lut4": 40}}
    figures = dataclasses.asdict(report) | {"units": units}
    figure = build_figure(figures, {"link": [(1, 1)]})
    bars, _ = figure.axes
    assert [label.get_text() for label in bars.get_yticklabels()] == ["link  1", "board  2"]
    draw(figures, {}, tmp_path / "units.png")
    assert (tmp_path / "units.png").stat().st_size > 1000
