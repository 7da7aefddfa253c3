"""Every table that a test has a command print is printed again at 80 columns: it must fit, whole."""

import io
from collections.abc import Callable

from rich.console import Console
from rich.table import Table
from rich.text import Text

Parts = Callable[[Table, Console], list[Table]]
WIDTH = 80
# Longer words, paths mostly, may be broken, in columns that fold sooner
LONGEST, FOLDED = 28, 20


def check(table: Table, found: Parts) -> None:
    """Fail unless a table fits, nothing of it is cut, and no word is broken.

    Args:
        found: the parts of a table that is too wide.
    """
    narrow = Console(width=WIDTH, file=io.StringIO(), no_color=True)
    for part in found(table, narrow):
        narrow.print(part)
    text = narrow.file.getvalue()  # type: ignore[attr-defined]
    assert max(map(len, text.splitlines())) <= WIDTH, text
    shown = text.split()
    for column in table.columns:
        longest = FOLDED if column.overflow == "fold" else LONGEST
        for cell in [column.header, *column.cells]:
            plain = cell.plain if isinstance(cell, Text) else Text.from_markup(str(cell)).plain
            for word in plain.split():
                whole = len(word) > longest or any(word in found for found in shown)
                assert whole, f"{word!r} is broken in\n{text}"


def checked(parts: Parts) -> Parts:
    """The same, after a look at how it is at 80 columns."""

    def looked_at(table: Table, console: Console) -> list[Table]:
        check(table, parts)
        return parts(table, console)

    return looked_at
