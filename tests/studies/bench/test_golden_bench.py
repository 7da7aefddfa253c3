"""The benchmark of the literal procedure runs, and the numerics page quotes what it prints."""

from pathlib import Path

import pytest

from studies.bench.golden import compare, main, measure

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


def test_bad_option_is_refused(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr("sys.argv", ["bench", "--rounds", "many"])
    with pytest.raises(SystemExit) as raised:
        main()
    assert raised.value.code == 2
    assert "invalid int value: 'many'" in capsys.readouterr().err
