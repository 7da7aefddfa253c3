"""All boards and presets in one table: `synth/figures/boards.json` and the tables of `docs/boards.md`.

    python -m studies.boards.table
    python -m studies.boards.table --board icebreaker --preset pico

Builds every preset that has a budget on a board, the bitstream and the resources by unit. Builds that
were made before are found, and rows that are not asked for stay as they are. The largest presets take
the better part of an hour each.
"""

import argparse
import json
from collections.abc import Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import Any

from golden.attention.config import PRESETS
from sim.cores.attention.core import SpikedAttentionCore
from studies.boards.figures import figures, report_figures
from studies.boards.throughput import head_throughput
from synth.boards import BOARDS, Board, find_board
from synth.budgets import budgets, clock_of
from synth.estimate import estimate
from synth.figures import BUILDS
from synth.flow import build
from synth.report import TimingError

TEXT = Path("docs/boards.md")
BEGIN, END = "<!-- begin {} -->", "<!-- end {} -->"
Row = dict[str, Any]


def make_row(board: Board, preset: str, seed: int, *, units: bool) -> Row:
    """Figures of a build; of one that missed its clock, those of its place and route.

    Args:
        units: also the resources by unit.
    """
    core = SpikedAttentionCore(PRESETS[preset])
    throughput = partial(head_throughput, core)
    try:
        made = build(
            board,
            core.design(preset),
            clock=clock_of(board, preset),
            seed=seed,
            on_stage=_tell,
        )
    except TimingError as error:
        return report_figures(error.report, throughput)
    return figures(made, board, throughput, units=units)


def _tell(stage: str, state: str, seconds: float) -> None:
    if state != "running":
        print(f"  {stage}: {state}, {seconds:.1f} s", flush=True)


def main_table(rows: Sequence[Row]) -> Iterator[str]:
    """Markdown of the builds."""
    yield (
        "| board | preset | lanes | MHz asked for | MHz reached | LUT4 | per lane | cells | FF "
        "| block RAM | DSP | heads/s | accumulations/s | bitstream |"
    )
    yield "|---|---|" + "---:|" * 12
    for row in rows:
        speed = row["throughput"]
        reached = f"{row['fmax_mhz']:.1f}" + ("" if row["closed"] else " (missed)")
        there = row["available"]
        shares = (
            f"{row[name]:,} ({row[name] / there[name]:.0%})"
            for name in ("logic_cells", "flip_flops", "block_rams")
        )
        size = f"{row['bitstream_bytes'] / 1024:,.0f} KiB" if row["bitstream_bytes"] else ""
        cells = (
            *(row["board"], row["design"], row["lanes"], f"{row['clock_mhz']:g}", reached),
            *(f"{row['lut4']:,}", row["lut4_per_lane"], *shares, row["dsps"]),
            *(f"{speed['heads_per_second']:,.0f}", f"{speed['accumulations_per_second'] / 1e6:,.0f} M", size),
        )
        yield f"| {' | '.join(map(str, cells))} |"


def unit_table(rows: Sequence[Row]) -> Iterator[str]:
    """Markdown of LUT4-equivalents by unit, and flip-flops behind the stroke."""
    rows = [row for row in rows if "units" in row]
    names = list(rows[0]["units"]) if rows else []
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


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--board", choices=tuple(BOARDS), help="build for this board alone")
    parser.add_argument("--preset", choices=tuple(PRESETS), help="build this preset alone")
    parser.add_argument("--seed", type=int, default=1, help="of place and route")
    parser.add_argument(
        "--without-units", action="store_true", help="leave out the second synthesis, which counts by unit"
    )
    args = parser.parse_args()
    if not TEXT.is_file():
        parser.error(f"{TEXT} is to be written: must run in the repository's folder, not in {Path.cwd()}")
    known = {(row["board"], row["design"]): row for row in json.loads(BUILDS.read_text())}
    pairs = [(board, preset) for board in BOARDS for preset in PRESETS if preset in budgets().get(board, {})]
    for board, preset in pairs:
        if args.board in (None, board) and args.preset in (None, preset):
            print(f"{preset} on {board}", flush=True)
            known[board, preset] = make_row(
                find_board(board), preset, args.seed, units=not args.without_units
            )
    rows = [known[pair] for pair in pairs if pair in known]
    BUILDS.write_text(json.dumps(rows, indent=1) + "\n")
    text = TEXT.read_text()
    for name, lines in (
        ("builds", main_table(rows)),
        ("units", unit_table(rows)),
        ("others", absent_table()),
    ):
        text = replace_section(text, name, lines)
    TEXT.write_text(text)


if __name__ == "__main__":
    main()
