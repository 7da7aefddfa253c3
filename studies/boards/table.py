"""All boards and presets in one table: `synth/figures/boards.json` and the tables of `docs/boards.md`."""

import json
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import Any

from golden.attention.config import PRESETS
from golden.errors import InputError, quoted
from sim.cores.attention.core import SpikedAttentionCore
from studies.boards.figures import figures, missed, reached
from studies.boards.throughput import head_throughput
from synth.boards import BOARDS, Board
from synth.budgets import budgets, clock_of
from synth.estimate import estimate
from synth.figures import BUILDS
from synth.flow import OnStage, build
from synth.report import TimingError
from synth.seeds import reach_with_seeds
from synth.tools import ToolError, find_tools

TEXT = Path("docs/boards.md")
BEGIN, END = "<!-- begin {} -->", "<!-- end {} -->"
Row = dict[str, Any]


def make_row(board: Board, preset: str, seeds: int, *, on_stage: OnStage) -> Row:
    """Figures of a build with seed 1; of one that missed its clock, those of its place and route.

    Args:
        seeds: place and route also with seeds 2 to this; what each reached is under `mhz_by_seed`.
        on_stage: see `synth.flow.build`.
    """
    core = SpikedAttentionCore(PRESETS[preset])
    clock = clock_of(board, preset)
    try:
        made = build(board, core.design(preset), clock=clock, on_stage=on_stage)
        report, directory = made.report, made.directory
    except TimingError as error:
        report, directory = error.report, error.directory
    tools = find_tools(board.family.tools)
    by_seed = reach_with_seeds(directory, report, board, clock, seeds, tools, on_stage)
    return figures(report, partial(head_throughput, core)) | {"mhz_by_seed": by_seed}


def main_table(rows: Sequence[Row]) -> Iterator[str]:
    """Markdown of the builds."""
    yield (
        "| board | preset | lanes | MHz asked for | MHz reached | LUT4 | per lane | cells | FF "
        "| block RAM | DSP | heads/s | accumulations/s | bitstream |"
    )
    yield "|---|---|" + "---:|" * 12
    for row in rows:
        speed = row["throughput"]
        there = row["available"]
        shares = (
            f"{row[name]:,} ({row[name] / there[name]:.0%})"
            for name in ("logic_cells", "flip_flops", "block_rams")
        )
        size = f"{row['bitstream_bytes'] / 1024:,.0f} KiB" if row["bitstream_bytes"] else ""
        cells = (
            *(row["board"], row["design"], row["lanes"], f"{row['clock_mhz']:g}", reached(row)),
            *(f"{row['lut4']:,}", row["lut4_per_lane"], *shares, row["dsps"]),
            *(f"{speed['heads_per_second']:,.0f}", f"{speed['accumulations_per_second'] / 1e6:,.0f} M", size),
        )
        yield f"| {' | '.join(map(str, cells))} |"


def unit_table(rows: Sequence[Row]) -> Iterator[str]:
    """Markdown of LUT4-equivalents by unit, and flip-flops behind the stroke."""
    rows = [row for row in rows if row["units"]]
    names = list(dict.fromkeys(unit for row in rows for unit in row["units"]))
    yield f"| board | preset | {' | '.join(names)} | lanes' share per lane |"
    yield "|---|---|" + "---:|" * (len(names) + 1)
    for row in rows:
        units = row["units"]
        parts = (f"{units[name]['lut4']:,} / {units[name]['flip_flops']:,}" for name in names)
        lane = f"{units['lanes']['lut4'] / row['lanes']:.1f}"
        yield f"| {row['board']} | {row['design']} | {' | '.join(parts)} | {lane} |"


def absent_table() -> Iterator[str]:
    """Markdown of the presets without a budget: what they are estimated to need."""
    yield "| board | preset | logic cells, estimated | flip-flops | block RAM |"
    yield "|---|---|---:|---:|---:|"
    for board in BOARDS.values():
        for preset, config in PRESETS.items():
            if preset in budgets().get(board.name, {}):
                continue
            need = estimate(config, board.family)
            pairs = (
                (need.logic_cells, board.logic_cells),
                (need.flip_flops, board.flip_flops),
                (need.block_rams, board.block_rams),
            )
            shares = (f"{want:,} of {there:,}" for want, there in pairs)
            yield f"| {board.name} | {preset} | {' | '.join(shares)} |"


def replace_section(text: str, name: str, lines: Iterator[str]) -> str:
    """`text` with new lines between the marks of a section.

    Raises:
        ValueError: a mark is missing.
    """
    begin, end = BEGIN.format(name), END.format(name)
    head, rest = text.split(begin, 1)
    _, tail = rest.split(end, 1)
    return "\n".join([f"{head}{begin}", *lines, f"{end}{tail}"])


def write_tables(
    board: str | None,
    preset: str | None,
    seeds: int,
    *,
    on_row: Callable[[str], None],
    on_stage: OnStage,
) -> None:
    """Build, and write figures and tables.

    Args:
        board, preset: build for this board, of this preset alone; the other rows stay as they are.
        seeds, on_stage: see `make_row`.
        on_row: told which build begins.

    Raises:
        InputError: it does not run in the repository's folder, or no board or preset is called so.
        ToolError: a tool failed; or a seed of a build missed its clock, and all is written.
    """
    if not TEXT.is_file():
        raise InputError(f"{TEXT} is to be written: must run in the repository's folder, not in {Path.cwd()}")
    for name, known, what in ((board, BOARDS, "--board"), (preset, PRESETS, "--preset")):
        if name is not None and name not in known:
            raise InputError(f"{what} must be one of {', '.join(known)}, not {quoted(name)}")
    rows = {(row["board"], row["design"]): row for row in json.loads(BUILDS.read_text())}
    pairs = [(name, design) for name in BOARDS for design in PRESETS if design in budgets().get(name, {})]
    measured = []
    for name, design in pairs:
        if board in (None, name) and preset in (None, design):
            on_row(f"{design} on {name}")
            rows[name, design] = make_row(BOARDS[name], design, seeds, on_stage=on_stage)
            measured.append(rows[name, design])
    shown = [rows[pair] for pair in pairs if pair in rows]
    BUILDS.write_text(json.dumps(shown, indent=1) + "\n")
    text = TEXT.read_text()
    for section, lines in (
        ("builds", main_table(shown)),
        ("units", unit_table(shown)),
        ("others", absent_table()),
    ):
        text = replace_section(text, section, lines)
    TEXT.write_text(text)
    if slow := [f"{row['design']} on {row['board']} at {reached(row)}" for row in measured if missed(row)]:
        raise ToolError(f"every seed must reach the clock of the budget: {'; '.join(slow)}")
