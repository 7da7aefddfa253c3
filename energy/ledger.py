"""The one form of an account: lines of events with their prices, what they add up to, and ratios."""

from dataclasses import asdict, dataclass, replace
from typing import Any

from energy.prices import Price, clock_cycle

PICOJOULES_PER_MICROJOULE = 1e6
PICOJOULES_PER_MILLIJOULE = 1e9


@dataclass(frozen=True)
class Line:
    """One kind of event.

    Attributes:
        name: what is counted.
        count: how many.
        price: of one.
        per: what each is done for, where the name does not say it.
    """

    name: str
    count: float
    price: Price
    per: str = ""

    @property
    def picojoule(self) -> float | None:
        """Energy of all of them, None where the price is not known."""
        return None if self.price.picojoule is None else self.count * self.price.picojoule


@dataclass(frozen=True)
class Ledger:
    """Lines whose prices are of one table; lines that differ in their count alone become one.

    Raises:
        ValueError: prices of two tables.
    """

    lines: tuple[Line, ...]

    def __init__(self, *lines: Line) -> None:
        merged: dict[tuple[str, Price, str], Line] = {}
        for line in lines:
            key = (line.name, line.price, line.per)
            before = merged[key].count if key in merged else 0
            merged[key] = replace(line, count=before + line.count)
        object.__setattr__(self, "lines", tuple(merged.values()))
        one_table(self)

    def __add__(self, other: "Ledger") -> "Ledger":
        return Ledger(*self.lines, *other.lines)

    def mean(self, runs: int) -> "Ledger":
        """Of one of the `runs` that this is the sum of."""
        return Ledger(*(replace(line, count=line.count / runs) for line in self.lines))

    def changed(self, name: str, **changes: Any) -> "Ledger":
        """With other fields in the line of this name, which must be there."""
        self.line(name)
        return Ledger(*(replace(line, **changes) if line.name == name else line for line in self.lines))

    def line(self, name: str) -> Line:
        """The only line of this name."""
        (found,) = (line for line in self.lines if line.name == name)
        return found

    def count(self, name: str) -> float:
        """Of all lines of this name, whatever their widths."""
        return sum(line.count for line in self.lines if line.name == name)

    @property
    def picojoule(self) -> float:
        """Sum of what is known."""
        return sum(line.picojoule or 0.0 for line in self.lines)

    @property
    def microjoule(self) -> float:
        return self.picojoule / PICOJOULES_PER_MICROJOULE

    @property
    def millijoule(self) -> float:
        return self.picojoule / PICOJOULES_PER_MILLIJOULE

    def over(self, other: "Ledger") -> float:
        """Ratio of the sums.

        Raises:
            ValueError: the two are priced by different tables.
        """
        one_table(self, other)
        return self.picojoule / other.picojoule

    def to_json(self) -> dict[str, Any]:
        """Lines and their sum as plain values; `energy.tables` shows them."""
        lines = []
        for line in self.lines:
            known = line.picojoule
            microjoule = None if known is None else known / PICOJOULES_PER_MICROJOULE
            entry = {"name": line.name, "count": line.count, "per": line.per}
            lines.append(entry | asdict(line.price) | {"microjoule": microjoule})
        return {"lines": lines, "microjoule": self.microjoule}


def one_table(*ledgers: Ledger) -> None:
    """Raise ValueError unless all prices are of one table."""
    tables = {line.price.table for ledger in ledgers for line in ledger.lines}
    if len(tables) > 1:
        raise ValueError(f"prices of two tables do not mix: {', '.join(sorted(tables))}")


def clock_line(cycles: int | None, picojoule: float | None) -> Line:
    """Clock tree and idle logic; unknown too where no one counted the cycles."""
    return Line("clock and idle", cycles or 0, clock_cycle(picojoule if cycles else None))
