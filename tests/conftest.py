"""Fixtures of several folders."""

import os
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from golden.attention.config import CoreConfig, to_table
from synth.flow import REPORT
from synth.report import BuildReport
from tests.narrow import checked

PutReport = Callable[..., Path]

# pytest-xdist gives its workers a terminal's width: tests print as into a pipe, with and without workers
os.environ.pop("COLUMNS", None)

# Files of tests that take a minute each and more, the longest first: begun last, one worker would end alone
LONG = ("test_place_and_route", "test_gate_level", "test_link_benches", "test_axi", "test_netlist")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    items.sort(key=lambda item: LONG.index(item.path.stem) if item.path.stem in LONG else len(LONG))


@pytest.fixture(autouse=True)
def narrow_tables(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever table a command prints in a test fits 80 columns too, whole."""
    tables = sys.modules.get("onespike.tables")
    if tables is not None:
        monkeypatch.setattr(tables, "parts", checked(tables.parts))


@pytest.fixture
def put_report() -> PutReport:
    """Puts a report into a folder of a synthesis cache, as a build that reached `fmax` MHz leaves it."""

    def put(folder: Path, config: CoreConfig, *, fmax: float, clock: float, lut4: int = 1000) -> Path:
        report = BuildReport(
            board="ulx3s-85f",
            device="LFE5U-85F",
            design="default",
            parameters=to_table(config),
            lut4=lut4,
            logic_cells=lut4,
            flip_flops=900,
            block_rams=10,
            dsps=0,
            available={},
            lanes=config.lanes,
            lut4_per_lane=lut4 / config.lanes,
            clock_mhz=clock,
            fmax_mhz=fmax,
            slack_ns=0.1,
            seed=1,
            tools={},
            bitstream="top.bit",
        )
        folder.mkdir(parents=True)
        (folder / REPORT).write_text(report.to_json())
        return folder / REPORT

    return put
