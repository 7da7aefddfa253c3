"""The page of a build: clock, resources, cells by unit, throughput."""

from collections.abc import Mapping
from typing import Any

from studies.boards.figures import reached
from studies.boards.sentences import HEADS, table_rows
from studies.page.page import Figure, Number, Page, Section, Table, key, number
from studies.page.plots import bars

RESOURCES = {
    "LUT4-equivalents": "lut4",
    "logic cells": "logic_cells",
    "flip-flops": "flip_flops",
    "block RAMs": "block_rams",
    "DSPs": "dsps",
}
# By the field of a unit: its words and colour
CELLS = {
    "lut4": ("LUT4-equivalents", "--blue"),
    "flip_flops": ("flip-flops", "--green"),
    "block_rams": ("block RAMs", "--vermilion"),
}


def page(figures: Mapping[str, Any]) -> Page:
    """The page of what `studies.boards.figures.figures` found."""
    sections = [
        Section(name="overview", title="Overview", parts=[_overview(figures)]),
        _resources(figures),
    ]
    if figures["units"]:
        sections.append(_units(figures))
    if rates := figures["throughput"].get("sentences"):
        sections.append(sentences(rates))
    return Page(
        title=f"{figures['design']} on {figures['board']} ({figures['device']})",
        remark=f"seed {figures['seed']}; {', '.join(sorted(set(figures['tools'].values())))}",
        report=figures,
        sections=sections,
    )


def sentences(rates: list[dict[str, Any]]) -> Section:
    """What `studies.boards.sentences` says of a core."""
    rows: list[list[str | Number]] = [[*row] for row in table_rows(rates)]
    parts = [Table(columns=HEADS, rows=rows)]
    return Section(name="sentences", title="Sentences, by the cycle model", parts=parts)


def _overview(figures: Mapping[str, Any]) -> Table:
    rows: list[list[str | Number]] = [
        ["clock reached, MHz", number(figures, "/fmax_mhz", "{:g}")],
        ["clock asked for, MHz", number(figures, "/clock_mhz", "{:g}")],
        ["slack, ns", number(figures, "/slack_ns", "{:g}")],
        ["bitstream, bytes", number(figures, "/bitstream_bytes")],
    ]
    if "mhz_by_seed" in figures:
        rows.insert(1, ["with several seeds, MHz", reached(figures)])
    for name, value in figures["throughput"].items():
        if name == "sentences":
            continue
        words = name.replace("_", " ")
        known = isinstance(value, int | float)
        rows.append([words, number(figures, f"/throughput/{key(name)}", "{:,}") if known else str(value)])
    return Table(columns=(), rows=rows)


def _resources(figures: Mapping[str, Any]) -> Section:
    there = figures["available"]
    shares = {what: figures[name] / there[name] for what, name in RESOURCES.items() if there.get(name)}
    rows: list[list[str | Number]] = [
        [what, number(figures, f"/{name}"), number(figures, f"/available/{name}") if name in there else ""]
        for what, name in RESOURCES.items()
    ]
    parts: list[Table | Figure] = [Table(columns=("", "used", "available"), rows=rows)]
    if shares:
        series = {"share": (list(shares), list(shares.values()), "--blue")}
        parts.insert(0, bars("shares", "Share of the device", series, "share of what the device has"))
    return Section(name="resources", title="Resources", parts=parts)


def _units(figures: Mapping[str, Any]) -> Section:
    units = figures["units"]
    parts: list[Table | Figure] = [
        bars(
            field.replace("_", "-"),
            f"{words} by unit",
            {words: (list(units), [need[field] for need in units.values()], colour)},
            words,
        )
        for field, (words, colour) in CELLS.items()
    ]
    rows = [[unit, *(number(figures, f"/units/{key(unit)}/{field}") for field in CELLS)] for unit in units]
    parts.append(Table(columns=("unit", *(words for words, _ in CELLS.values())), rows=rows))
    return Section(
        name="units",
        title="Cells by unit",
        text="By the names of the cells: one that units share counts where its output is named.",
        parts=parts,
    )
