"""The flow from a design to a bitstream: order, cache, and what is said when something fails."""

import dataclasses
import re
from pathlib import Path

import pytest

from golden.errors import InputError
from synth.boards import BOARDS
from synth.design import Design
from synth.flow import STAGES, Build, build
from synth.netlist import Resources
from synth.report import TimingError
from synth.tools import ToolError, native_version
from tests.synth.tool_stand_ins import StandIns

ICEBREAKER = BOARDS["icebreaker"]
TOOLS = ["yosys", "nextpnr-ice40", "icepack"]


def run(design: Design, root: Path, *, seed: int = 1, clock: float | None = None) -> tuple[Build, list[str]]:
    """A build, and what it told of its stages."""
    told: list[str] = []

    def on_stage(stage: str, state: str, seconds: float) -> None:
        assert seconds >= 0
        if state != "running":
            told.append(f"{stage} {state}")

    made = build(ICEBREAKER, design, seed=seed, clock=clock, tools="native", root=root, on_stage=on_stage)
    return made, told


def test_built_once(tmp_path: Path, stand_ins: StandIns, echo: Design) -> None:
    made, told = run(echo, tmp_path)
    assert told == [f"{stage} done" for stage in STAGES]
    assert made.bitstream.read_text() == "placed\n"
    assert not made.cached
    for stage, tool in (("synthesise", "yosys"), ("place-and-route", "nextpnr-ice40"), ("pack", "icepack")):
        assert (made.directory / f"{stage}.log").read_text().startswith(f"$ {tool} ")
    again, told = run(echo, tmp_path)
    assert (again.cached, again.bitstream, told) == (True, made.bitstream, ["all stages cached"])
    assert again.report == made.report
    # Sources that changed without changing the hardware: found after generation
    next(tmp_path.glob("icebreaker/*.path")).unlink()
    again, told = run(echo, tmp_path)
    assert (again.cached, told) == (True, ["generate done", "later stages cached"])
    assert stand_ins.ran == TOOLS


def test_what_goes_in_decides(tmp_path: Path, stand_ins: StandIns, echo: Design) -> None:
    builds = [
        run(echo, tmp_path),
        run(echo, tmp_path, seed=2),
        run(echo, tmp_path, clock=12e6),
        run(dataclasses.replace(echo, name="other"), tmp_path),
        run(dataclasses.replace(echo, parameters={"width": 9}), tmp_path),
    ]
    assert len({made.directory for made, _ in builds}) == len(builds)
    assert not any(made.cached for made, _ in builds)
    packer = stand_ins.folder / "icepack"
    packer.write_text(packer.read_text().replace("icepack 1.0", "icepack 1.1"))
    native_version.cache_clear()
    assert not run(echo, tmp_path)[0].cached


def test_report(tmp_path: Path, stand_ins: StandIns, echo: Design) -> None:
    made, _ = run(echo, tmp_path, seed=7)
    report = made.report
    assert (report.board, report.device, report.design) == ("icebreaker", "iCE40UP5K-SG48", "echo")
    assert (report.lut4, report.logic_cells, report.dsps) == (100, 100, 0)
    assert report.available == {"logic_cells": 5280, "flip_flops": 5280, "block_rams": 30, "dsps": 8}
    assert (report.clock_mhz, report.fmax_mhz, report.seed) == (24, 30, 7)
    assert report.slack_ns == pytest.approx(1000 / 24 - 1000 / 30, abs=1e-3)
    assert report.bitstream_bytes == len("placed\n")
    assert report.tools == {tool: f"{tool} 1.0" for tool in TOOLS}
    assert set(report.seconds) == set(STAGES[1:])


@pytest.mark.parametrize(("tool", "log"), [("yosys", "synthesise"), ("nextpnr-ice40", "place-and-route")])
def test_failed_tool(tmp_path: Path, stand_ins: StandIns, echo: Design, tool: str, log: str) -> None:
    stand_ins.write(tool, "echo ERROR: out of luck; exit 3")
    with pytest.raises(
        ToolError, match=rf"{tool} failed with status 3, see .*/{log}.log: ERROR: out of luck"
    ):
        run(echo, tmp_path)
    # What failed is not taken for finished
    stand_ins.answer()
    assert not run(echo, tmp_path)[0].cached


@pytest.mark.parametrize(
    "said",
    [
        "Warning: net 'clk' does not exist in design, ignoring clock constraint",
        "Warning: unmatched constraint 'led' (on line 3)",
    ],
)
def test_constraint_left_out(tmp_path: Path, stand_ins: StandIns, echo: Design, said: str) -> None:
    placer = (stand_ins.folder / "nextpnr-ice40").read_text()
    stand_ins.write("nextpnr-ice40", f'echo "{said}"\n{placer}')
    with pytest.raises(ToolError, match=re.escape(f"place-and-route.log: {said}")):
        run(echo, tmp_path)
    # What failed is not taken for finished
    stand_ins.answer()
    assert not run(echo, tmp_path)[0].cached


def test_clock_not_reached(tmp_path: Path, stand_ins: StandIns, echo: Design) -> None:
    stand_ins.answer(megahertz=20)
    says = "echo on icebreaker must reach 24 MHz, it reached 20.00 MHz with seed 1 .*place-and-route.log"
    for _ in range(2):
        with pytest.raises(TimingError, match=says) as caught:
            run(echo, tmp_path)
        assert caught.value.report.fmax_mhz == 20
    # Known the second time; and nothing was packed
    assert stand_ins.ran == TOOLS[:2]


def test_too_large(tmp_path: Path, stand_ins: StandIns, echo: Design) -> None:
    stand_ins.answer(luts=5281)
    says = r"echo must fit iCE40UP5K-SG48 of icebreaker, it needs 5281 logic cells \(it has 5280\)"
    with pytest.raises(InputError, match=says):
        run(echo, tmp_path)
    assert stand_ins.ran == TOOLS[:1]


def test_estimated_too_large(tmp_path: Path, stand_ins: StandIns, echo: Design) -> None:
    need = Resources(lut4=1, flip_flops=1, block_rams=52, dsps=0, logic_cells=6600)
    design = dataclasses.replace(echo, estimate=lambda family: need)
    says = r"echo must fit .* is estimated to need 52 block RAMs \(it has 30\); .* as much is ulx3s-25f$"
    with pytest.raises(InputError, match=says):
        run(design, tmp_path / "root")
    assert stand_ins.ran == []
    assert not (tmp_path / "root").exists()


def test_bad_seed_and_clock(tmp_path: Path, stand_ins: StandIns, echo: Design) -> None:
    with pytest.raises(InputError, match="seed must be at least 0, not -1"):
        run(echo, tmp_path / "root", seed=-1)
    with pytest.raises(InputError, match=r"clock of icebreaker must make 2e[+]06 baud"):
        run(echo, tmp_path / "root", clock=25e6)
    with pytest.raises(InputError, match="attainable from 12 MHz by the PLL of ice40, not 500 MHz"):
        run(echo, tmp_path / "root", clock=500e6)
    assert not (tmp_path / "root").exists()
