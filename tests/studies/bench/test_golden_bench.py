"""The benchmark of the literal procedure runs, and the numerics page quotes what it prints."""

from pathlib import Path

import pytest

from onespike.cli import main
from studies.bench.golden import compare, measure

PAGE = Path(__file__).parents[3] / "docs" / "numerics.md"


def test_page_quotes_the_agreement() -> None:
    found = compare(seed=1)
    text = " ".join(PAGE.read_text().split())
    assert f"{100 * found.phases_differ:.3f} % of attention phases differ" in text
    assert f"{100 * found.rows_agree:.3f} % of rows agree" in text
    assert f"their outputs {100 * found.outputs_differ:.3f} % differ" in text
    assert found.rows_moved == 1
    assert "the reference moved in all rows" in text
    first, exact = found.cosine["literal, first positive input"], found.cosine["closed form"]
    assert f"is {first:.4f} instead of {exact:.4f}" in text


def test_both_sides_are_timed() -> None:
    times = measure(rounds=1, closed_per_literal=1, seed=3)
    assert times.closed_form > 0
    assert times.literal > 0
    assert times.ratio == times.literal / times.closed_form
    assert times.seed == 3


def test_command(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["dev", "literal", "--rounds", "1"]) == 0
    assert "their output phases that differ" in capsys.readouterr().out
    assert main(["dev", "literal", "--rounds", "many"]) == 2
    assert "'--rounds': must be an integer, not 'many'" in capsys.readouterr().err
    assert main(["dev", "literal", "--rounds", "0"]) == 2
    assert "--rounds must be an integer in 1..1000, not 0" in capsys.readouterr().err
