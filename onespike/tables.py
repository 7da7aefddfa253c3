"""What commands print for people."""

import os
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from rich.box import SIMPLE
from rich.console import Console
from rich.progress import BarColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn
from rich.table import Table

from golden.attention.config import CoreConfig
from studies.attention.report import in_words

if TYPE_CHECKING:
    from studies.bench.ratios import Ratio

SHOWN_HEADS = 16
PIPE_WIDTH = 140


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
    )


def print_tables(tables: Iterable[Table]) -> None:
    """Tables on stdout; wide enough for whole numbers where nothing, terminal or COLUMNS, gives a width."""
    console = Console()
    if not console.is_terminal and "COLUMNS" not in os.environ:
        console = Console(width=PIPE_WIDTH)
    for table in tables:
        console.print(table)


def attention_tables(
    report: Mapping[str, Any], title: str, summary: Iterable[tuple[str, str]]
) -> list[Table]:
    """Summary and heads of a report.

    Args:
        title, summary: of its scheme; see `studies.attention.spiked.AttentionResult`.
    """
    table = Table(title=title, show_header=False)
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
