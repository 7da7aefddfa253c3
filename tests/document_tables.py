"""Tables of the documents as cells, and what a command prints as numbers."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache

from tests.test_documents import DOCUMENTS


@dataclass(frozen=True)
class Table:
    """A table of a document.

    Attributes:
        head, rows: its cells.
        around: the text from the heading or table before it to the next one.
        generated: it stands between marks.
    """

    document: str
    head: list[str]
    rows: list[list[str]]
    around: str
    generated: bool

    def row(self, name: str) -> list[str]:
        (found,) = (cells for cells in self.rows if cells[0] == name)
        return found


def cells_of(line: str) -> list[str]:
    return [cell.strip().strip("*") for cell in line.strip().strip("|").split("|")]


@cache
def tables() -> list[Table]:
    found = []
    for document in DOCUMENTS:
        lines = document.read_text().splitlines()
        edges = [n for n, line in enumerate(lines) if line.startswith(("#", "|"))] + [len(lines)]
        starts = [n for n in edges[:-1] if lines[n].startswith("|") and not lines[n - 1].startswith("|")]
        for start in starts:
            end = next(n for n in range(start, len(lines) + 1) if n == len(lines) or lines[n][:1] != "|")
            before = max((n for n in edges if n < start), default=0)
            after = min(n for n in edges if n >= end)
            table = [cells_of(line) for line in lines[start:end]]
            around = "\n".join([*lines[before:start], "", *lines[end:after]])
            generated = lines[start - 1].startswith("<!-- begin")
            found.append(Table(document.name, table[0], table[2:], around, generated))
    return found


def find(document: str, head: str) -> Table:
    (found,) = (t for t in tables() if t.document == document and ", ".join(t.head).startswith(head))
    return found


def numbers(text: str) -> Iterator[str]:
    """Decimal numbers of a text as they stand; none that are part of a word or of a power."""
    return (
        match[0].replace(",", "") for match in re.finditer(r"(?<![\w.^(/])\d[\d,]*(?:\.\d+)?(?!\w)", text)
    )


def check_printed(cells: str, text: str) -> None:
    """Every number of `cells` is one of `text`, rounded to as many digits."""
    printed = [float(number) for number in numbers(text)]
    for number in numbers(cells):
        half = 0.5000001 * 10.0 ** -len(number.partition(".")[2])
        assert any(abs(float(number) - value) <= half for value in printed), f"{number} is not in: {text}"


def line_of(output: str, label: str) -> str:
    """The line of a printed table that begins with a label, with the lines that it goes on in."""
    lines = iter(output.splitlines())
    begin = next(line for line in lines if re.match(rf"\W*{re.escape(label)}(\s{{2}}|\s*│|$)", line))
    whole = [begin]
    for line in lines:
        if line.strip() == "" or not line.startswith(" " * (len(label) + 2)):
            break
        whole.append(line)
    return " ".join(whole)
