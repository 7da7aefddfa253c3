"""What commands print for people."""

import os
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from copy import copy
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from rich.box import SIMPLE
from rich.console import Console, ConsoleOptions
from rich.measure import Measurement
from rich.progress import BarColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn
from rich.table import Column, Table

from golden.attention.config import CoreConfig
from studies.attention.report import in_words

if TYPE_CHECKING:
    from studies.bench.ratios import Ratio

SHOWN_HEADS = 16
PIPE_WIDTH = 140
# Wider than any table
_UNBOUNDED = 10_000
# Longer words of a column that folds, paths mostly, are broken before it goes into another table
_FOLDED = 20


def progress() -> Progress:
    """A bar on stderr for as long as the work takes; nothing where stderr is not a terminal."""
    console = Console(stderr=True)
    return Progress(
        SpinnerColumn(),
        TextColumn("{task.description}"),
        BarColumn(),
        TimeElapsedColumn(),
        console=console,
        transient=True,
        disable=not console.is_terminal,
        # What is printed goes above the bar where both are on a terminal, otherwise where it belongs
        redirect_stdout=sys.stdout.isatty(),
    )


@contextmanager
def working(what: str) -> Iterator[None]:
    """The same for work that does not tell how far it is."""
    with progress() as bar:
        bar.add_task(what, total=None)
        yield


def print_tables(tables: Iterable[Table]) -> None:
    """Tables on stdout; wide enough for whole numbers where nothing, terminal or COLUMNS, gives a width."""
    console = Console()
    if not console.is_terminal and "COLUMNS" not in os.environ:
        console = Console(width=PIPE_WIDTH)
    for table in tables:
        for part in parts(table, console):
            console.print(part)


def parts(table: Table, console: Console) -> list[Table]:
    """A table where it fits the console; otherwise with its lines broken between words, and where that is
    not enough its columns in several tables, each after the first column.
    """
    wide = console.options.update(width=_UNBOUNDED)
    limits = [_limits(console, wide, column) for column in table.columns]
    frame = Measurement.get(console, wide, table).maximum - sum(most for _, most in limits)
    if frame + sum(most for _, most in limits) <= console.width:
        return [table]

    def around(columns: Sequence[int]) -> int:
        """Width of what stands beside and between columns."""
        return -(-frame * len(columns) // len(limits))

    def fits(columns: Sequence[int]) -> bool:
        return sum(limits[n][0] for n in columns) + around(columns) <= console.width

    chosen: list[list[int]] = []
    for n in range(len(limits)):
        if chosen and fits([*chosen[-1], n]):
            chosen[-1].append(n)
        else:
            chosen.append([0, n] if chosen and fits([0, n]) else [n])
    made: list[Table] = []
    for columns in chosen:
        # Rich cuts what does not even have room for its frame
        room = max(console.width - around(columns), 1)
        widths = _widths([limits[n] for n in columns], room)
        made.append(_part(table, columns, widths, first=not made, last=len(made) == len(chosen) - 1))
    return made


def _limits(console: Console, options: ConsoleOptions, column: Column) -> tuple[int, int]:
    """Widths of a column without what is around it: of its longest word, and of its longest text."""
    cells = [Measurement.get(console, options, cell) for cell in (column.header, *column.cells)]
    most = max(cell.maximum for cell in cells)
    least = most if column.no_wrap else max(cell.minimum for cell in cells)
    return (min(least, _FOLDED) if column.overflow == "fold" else least), most


def _widths(limits: Sequence[tuple[int, int]], room: int) -> list[int]:
    """Widths of columns that share some room, where their words need no more of it."""
    widths = [least for least, _ in limits]
    for _ in range(room - sum(widths)):
        lacking = [most - width for (_, most), width in zip(limits, widths, strict=True)]
        widths[lacking.index(max(lacking))] += max(lacking) > 0
    return [min(width, room) for width in widths]


def _part(table: Table, columns: Sequence[int], widths: Sequence[int], *, first: bool, last: bool) -> Table:
    """Some columns of a table, each of its width; title and caption are around all parts."""
    part = copy(table)
    if not first and table.title is not None:
        part.title = f"{table.title}, more of it"
    if not last:
        part.caption = None
    part.columns = [
        replace(table.columns[n], width=width, no_wrap=False, overflow="fold", _index=place)
        for place, (n, width) in enumerate(zip(columns, widths, strict=True))
    ]
    return part


def attention_tables(
    report: Mapping[str, Any], title: str, summary: Iterable[tuple[str, str]]
) -> list[Table]:
    """Summary and heads of a report.

    Args:
        title, summary: of its scheme; see `studies.attention.spiked.AttentionResult`.
    """
    table = Table(title=title, show_header=False)
    table.add_column(no_wrap=True)
    table.add_column()
    table.add_row("engine", f"{report['engine']}, seed {report['seed']}")
    for row in summary:
        table.add_row(*row)
    if report["cycles"] is not None:
        table.add_row("cycles", f"{report['cycles']['total']} at the last output")
    if report["events"] is not None:
        table.add_row("lanes at work", f"{report['lane_utilisation']:.1%}")
        table.add_row("events", ", ".join(f"{name} {count}" for name, count in report["events"].items()))
    return [table, _heads(report)]


def _heads(report: Mapping[str, Any]) -> Table:
    heads = report["shape"]["heads"]
    table = Table(title="Heads" if heads <= SHOWN_HEADS else f"Heads (the first {SHOWN_HEADS} of {heads})")
    cycles = report["cycles"]
    measured = [
        (name, words) for name, words in (("out", ""), ("out_raw", "raw ")) if name in report["error"]
    ]
    for column in (
        "head",
        *(("complete at cycle", "cycles") if cycles is not None else ()),
        *(f"{words}{measure}" for _, words in measured for measure in ("cosine", "relative RMSE")),
    ):
        table.add_column(column, justify="right")
    for head in range(min(heads, SHOWN_HEADS)):
        time = [cycles["heads"][head], cycles["head_durations"][head]] if cycles is not None else []
        errors = [
            in_words(report["error"][name]["heads"][head][measure])
            for name, _ in measured
            for measure in ("cosine", "relative_rmse")
        ]
        table.add_row(str(head), *map(str, time), *errors)
    return table


def preset_table(presets: Mapping[str, CoreConfig]) -> Table:
    """Presets, one a row."""
    table = Table(title="Presets", box=SIMPLE, padding=(0, 1, 0, 0))
    table.add_column("preset", no_wrap=True)
    for column in ("T", "log2 B", "F", "lanes", "tokens", "head_dim", "bias", "mask", "output"):
        table.add_column(column, justify="right")
    for name, config in presets.items():
        code = config.code
        table.add_row(
            name,
            *map(str, (code.steps, code.log2_base, code.trace_bits)),
            *map(str, (config.lanes, config.tokens, config.head_dim)),
            *("yes" if given else "no" for given in (config.bias, config.mask)),
            config.output,
        )
    return table


def ratio_table(ratios: Iterable["Ratio"], seed: int) -> Table:
    """Ratios of speed, one a row."""
    table = Table(title=f"Ratios of speed, seed {seed}")
    for column in ("workload", "slow", "fast"):
        table.add_column(column)
    for column in ("slow s", "fast s", "ratio"):
        table.add_column(column, justify="right", no_wrap=True)
    for entry in ratios:
        times = (f"{seconds:.3g}" for seconds in (entry.slow_seconds, entry.fast_seconds))
        table.add_row(entry.what, entry.slow, entry.fast, *times, f"{entry.ratio:.1f}")
    return table
