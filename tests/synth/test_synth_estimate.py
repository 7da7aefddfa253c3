"""The estimate before synthesis, the budgets, and the tables of the documentation."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from golden.attention.config import PRESETS, CoreConfig, from_table, preset
from studies.boards import table
from synth.boards import BOARDS
from synth.budgets import Budget, budgets, clock_of, presets_of
from synth.estimate import FITTED, TOLERANCE, estimate
from synth.families import FAMILIES, Family
from synth.figures import BUILDS, ESTIMATE
from synth.netlist import Resources
from synth.report import BuildReport

DOCS = Path(__file__).parents[2] / "docs"
ROWS: list[dict[str, Any]] = json.loads(BUILDS.read_text())
SAMPLES = [
    (FAMILIES[family], from_table(dict(sample["configuration"]), family), Resources(**sample["measured"]))
    for family, samples in json.loads(ESTIMATE.read_text()).items()
    for sample in samples
]


def check_not_refused(config: CoreConfig, family: Family, measured: Resources) -> None:
    expected = estimate(config, family)
    for name in FITTED:
        found = getattr(measured, name)
        assert int((1 - TOLERANCE) * getattr(expected, name)) <= found, f"{name}: refused although it fits"


@pytest.mark.parametrize(("family", "config", "measured"), SAMPLES)
def test_samples(family: Family, config: CoreConfig, measured: Resources) -> None:
    expected = estimate(config, family)
    for name in FITTED:
        assert getattr(expected, name) == pytest.approx(getattr(measured, name), rel=0.11), name
    check_not_refused(config, family, measured)


@pytest.mark.parametrize("row", ROWS, ids=lambda row: f"{row['board']}-{row['design']}")
def test_larger_cores(row: dict[str, Any]) -> None:
    """Built and measured, and no part of the fit: none of these would be refused."""
    measured = Resources(**{name: row[name] for name in (*FITTED, "dsps")})
    check_not_refused(preset(row["design"]), BOARDS[row["board"]].family, measured)


def test_more_lanes_need_more() -> None:
    for family in FAMILIES.values():
        small, large = (
            estimate(replace(preset("default"), lanes=lanes, tokens=lanes), family) for lanes in (16, 64)
        )
        for name in FITTED:
            assert getattr(small, name) < getattr(large, name) < 4 * getattr(small, name)


def test_budgets_are_of_boards_and_presets() -> None:
    assert set(budgets()) <= set(BOARDS)
    for board in BOARDS.values():
        assert set(presets_of(board)) <= set(PRESETS)
        assert board.preset in PRESETS
        for name in presets_of(board):
            budget = budgets()[board.name][name]
            board.check_clock(clock_of(board, name))
            assert budget.dsps == 0
            assert budget.lut4 <= board.logic_cells
            assert budget.block_rams <= board.block_rams


def test_clock_of_a_configuration_without_budget() -> None:
    assert clock_of(BOARDS["icebreaker"], "mine") == 24e6


def report_of(row: dict[str, Any]) -> BuildReport:
    extra = ("closed", "throughput", "mhz_by_seed")
    return BuildReport(**{name: value for name, value in row.items() if name not in extra})


def test_over_budget() -> None:
    report = report_of(ROWS[0])
    exact = {name: getattr(report, name) for name in ("lut4", "flip_flops", "block_rams", "dsps")}
    assert Budget(clock_mhz=report.fmax_mhz, **exact).exceeded(report) == []
    tight = Budget(clock_mhz=report.fmax_mhz + 1, **exact | {"lut4": report.lut4 - 1})
    assert tight.exceeded(report) == [
        f"lut4 must be at most {report.lut4 - 1}, not {report.lut4}",
        f"fmax_mhz must be at least {report.fmax_mhz + 1:g}, not {report.fmax_mhz:g}",
    ]


@pytest.mark.parametrize("row", ROWS, ids=lambda row: f"{row['board']}-{row['design']}")
def test_documented_builds_keep_their_budgets(row: dict[str, Any]) -> None:
    assert budgets()[row["board"]][row["design"]].exceeded(report_of(row)) == []


def test_documented_tables_are_those_of_the_data() -> None:
    text = (DOCS / "boards.md").read_text()
    assert table.replace_section(text, "builds", table.main_table(ROWS)) == text
    assert table.replace_section(text, "units", table.unit_table(ROWS)) == text
    assert table.replace_section(text, "others", table.absent_table()) == text


def test_section_must_be_there() -> None:
    with pytest.raises(ValueError, match="not enough values"):
        table.replace_section("no marks", "builds", iter(()))
