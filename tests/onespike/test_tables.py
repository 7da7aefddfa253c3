"""Tables on narrow terminals: whole, with lines broken between words, or with columns in several tables."""

import io
from functools import partial

import pytest
from rich.console import Console
from rich.table import Table

from onespike import tables
from onespike.tables import parts
from tests.narrow import check


def wide(columns: int, words: str) -> Table:
    """A table of a few rows, with a rule below the first."""
    table = Table(title="Wide")
    for n in range(columns):
        table.add_column(f"column{n}", justify="right" if n else "left")
    for row in ("first", "second", "third"):
        table.add_row(row, *[f"{words}{row}"] * (columns - 1), end_section=row == "first")
    return table


def lines(table: Table, width: int) -> list[str]:
    console = Console(width=width, file=io.StringIO(), no_color=True)
    for part in parts(table, console):
        console.print(part)
    return console.file.getvalue().splitlines()  # type: ignore[attr-defined]


def test_what_fits_stays() -> None:
    table = wide(3, "a ")
    assert parts(table, Console(width=80)) == [table]


def test_lines_break_between_words() -> None:
    (part,) = parts(wide(3, "several words of a long text "), Console(width=60))
    assert [column.width for column in part.columns[1:]] == [22, 21]
    assert max(map(len, lines(wide(3, "several words of a long text "), 60))) <= 60
    check(wide(4, "several words of a long text "), parts)


def test_paths_are_broken_in_columns_that_fold() -> None:
    table = wide(3, "of_many_letters_" * 4)
    assert len(parts(table, Console(width=80))) == 3
    for column in table.columns[1:]:
        column.overflow = "fold"
    assert len(parts(table, Console(width=80))) == 1
    check(table, parts)


def test_columns_in_several_tables() -> None:
    """Each begins with the first column, and every cell is in one of them."""
    table = wide(13, "12,345,678 ")
    found = parts(table, Console(width=80))
    assert len(found) == 3
    assert [part.title for part in found] == ["Wide", *["Wide, more of it"] * 2]
    assert all(part.columns[0].header == "column0" for part in found)
    assert [column.header for part in found for column in part.columns[1:]] == [
        f"column{n}" for n in range(1, 13)
    ]
    assert [row.end_section for row in found[1].rows] == [True, False, False]
    check(table, parts)


def test_parts_look_like_the_whole() -> None:
    """Styles, of rows too, are in each part, the caption is below the last; the table is as it was."""
    table = wide(13, "12,345,678 ")
    table.caption, table.header_style, table.row_styles = "Measured", "bold", ["", "dim"]
    table.add_row("last", *["0"] * 12, style="red")
    table.columns[1].style, table.columns[1].header_style = "green", "blue"
    found = parts(table, Console(width=80))
    assert [part.caption for part in found] == [None, None, "Measured"]
    assert all((part.header_style, part.row_styles) == ("bold", ["", "dim"]) for part in found)
    assert all(part.rows[-1].style == "red" for part in found)
    assert (found[0].columns[1].style, found[0].columns[1].header_style) == ("green", "blue")
    assert (table.title, table.caption, len(table.columns)) == ("Wide", "Measured", 13)
    assert "Measured" in lines(table, 80)[-1]


@pytest.mark.parametrize("width", range(1, 8))
def test_hardly_a_terminal(width: int) -> None:
    found = parts(wide(3, "a "), Console(width=width))
    assert all(column.width is not None and column.width >= 1 for part in found for column in part.columns)
    assert all(len(line) <= width for line in lines(wide(3, "a "), width))


def test_a_word_longer_than_the_terminal() -> None:
    """It is the only one that is broken."""
    table = wide(3, "x" * 100)
    assert max(map(len, lines(table, 80))) <= 80
    assert "…" not in "".join(lines(table, 80))


def test_the_check_finds_what_is_cut() -> None:
    with pytest.raises(AssertionError, match="'column0' is broken"):
        check(wide(13, "12,345,678 "), lambda table, console: [table])


def test_a_bar_leaves_standard_output_alone(
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    """A terminal on stderr and a file on stdout: what is printed goes into the file."""
    monkeypatch.setattr(tables, "Console", partial(Console, force_terminal=True))
    with tables.working("work"):
        print("result")
    out, err = capfd.readouterr()
    assert out == "result\n"
    assert "work" in err
