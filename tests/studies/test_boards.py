"""Published builds against their budgets."""

import json
from dataclasses import fields, replace
from typing import Any

import pytest

from synth.budgets import budgets
from synth.figures import BUILDS
from synth.report import BuildReport

ROWS: list[dict[str, Any]] = json.loads(BUILDS.read_text())


@pytest.mark.parametrize("row", [pytest.param(row, id=f"{row['board']}-{row['design']}") for row in ROWS])
def test_every_seed_keeps_to_the_budget(row: dict[str, Any]) -> None:
    """Cells, and the clock of the slowest of the seeds."""
    report = BuildReport(**{field.name: row[field.name] for field in fields(BuildReport)})
    slowest = min(row.get("mhz_by_seed", {"1": row["fmax_mhz"]}).values())
    budget = budgets()[row["board"]][row["design"]]
    assert row["clock_mhz"] == budget.clock_mhz
    assert budget.exceeded(replace(report, fmax_mhz=slowest)) == []


def test_every_budget_has_a_build() -> None:
    built = {(row["board"], row["design"]) for row in ROWS}
    assert built == {(board, preset) for board, presets in budgets().items() for preset in presets}
