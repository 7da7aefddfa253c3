"""`onespike boards`: the boards, and what fits them."""

import json
from typing import Any

import typer
from rich.box import SIMPLE
from rich.table import Table

from onespike.options import JsonOption
from onespike.tables import print_tables


def boards(as_json: JsonOption = False) -> None:
    """List the boards with device, clock and presets.

    The presets are those known to fit and to reach their clock; the last is the largest.

    Examples:

        onespike boards
        onespike boards --json
    """
    entries = [_entry(name) for name in _names()]
    if as_json:
        typer.echo(json.dumps(entries, indent=2))
    else:
        print_tables(board_tables(entries))


def _names() -> list[str]:
    from synth.boards import BOARDS

    return list(BOARDS)


def _entry(name: str) -> dict[str, Any]:
    from synth.boards import BOARDS
    from synth.budgets import clock_of, presets_of

    board = BOARDS[name]
    known = presets_of(board)
    return {
        "name": name,
        "title": board.title,
        "device": board.device,
        "clock_mhz": board.clock / 1e6,
        "baud": round(board.baud),
        "logic_cells": board.logic_cells,
        "flip_flops": board.flip_flops,
        "block_rams": board.block_rams,
        "dsps": board.dsps,
        "loaders": [loader[0] for loader in board.loaders],
        "default_preset": board.preset,
        "largest_preset": known[-1] if known else None,
        "presets": {preset: {"clock_mhz": clock_of(board, preset) / 1e6} for preset in known},
    }


def board_tables(entries: list[dict[str, Any]]) -> list[Table]:
    """Boards, one a row, and what fits them."""
    devices = Table(title="Boards", box=SIMPLE, padding=(0, 1, 0, 0))
    for column in ("board", "device"):
        devices.add_column(column, no_wrap=True)
    for column in ("MHz", "baud", "logic cells", "block RAMs"):
        devices.add_column(column, justify="right")
    presets = Table(title="Presets", box=SIMPLE, padding=(0, 1, 0, 0))
    for column in ("board", "", "largest", "all, at MHz"):
        presets.add_column(column)
    for entry in entries:
        devices.add_row(
            *(entry[key] for key in ("name", "device")),
            *(f"{entry[key]:.10g}" for key in ("clock_mhz", "baud", "logic_cells", "block_rams")),
        )
        known = (f"{name} {preset['clock_mhz']:g}" for name, preset in entry["presets"].items())
        presets.add_row(entry["name"], entry["title"], entry["largest_preset"] or "none", ", ".join(known))
    return [devices, presets]
