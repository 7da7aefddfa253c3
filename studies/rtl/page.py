"""The datasheet of generated Verilog: its manifest, and builds of its configuration."""

import json
from collections.abc import Iterator, Mapping
from typing import Any

from studies.page.page import Drawing, Number, Page, Section, Table, key, number
from studies.rtl.timing import diagrams, draw
from synth.figures import BUILDS

Row = list[str | Number]
# Of a build: its words and form
FIGURES = {
    "fmax_mhz": ("clock reached, MHz", "{:g}"),
    "lut4": ("LUT4-equivalents", "{:,}"),
    "flip_flops": ("flip-flops", "{:,}"),
    "block_rams": ("block RAMs", "{:,}"),
    "dsps": ("DSPs", "{:,}"),
}


def datasheet(manifest: Mapping[str, Any]) -> dict[str, Any]:
    """What the page is of: the manifest, and the builds of its configuration with their link."""
    builds = json.loads(BUILDS.read_text(encoding="utf-8"))
    return {
        "manifest": dict(manifest),
        "builds": [build for build in builds if build["parameters"] == manifest["parameters"]],
    }


def page(report: Mapping[str, Any]) -> Page:
    """The page of a datasheet."""
    manifest = report["manifest"]
    sections = [
        Section(
            name="ports",
            title="Ports",
            text=f"Clock {manifest['clock']}, rising edge; reset {manifest['reset']}, synchronous. A beat "
            "passes at each edge at which valid and ready are high; valid never waits for ready, and what is "
            "offered does not change until it has passed.",
            parts=[_ports(report)],
        ),
        Section(
            name="payloads",
            title="What is in a beat",
            text="Bits from the lowest. A field of several elements holds element 0 lowest.",
            parts=[_fields(report)],
        ),
        Section(
            name="timing",
            title="Timing",
            text="Signals are sampled at the rising edge that ends a cycle.",
            parts=[
                Drawing(name=name, title=title, svg=draw(waves)) for name, title, waves in diagrams(manifest)
            ],
        ),
        Section(name="parameters", title="Parameters", parts=[_pairs(report, "parameters")]),
        Section(
            name="latency",
            title="Latency",
            text="Cycles of the longest row in each stage, and of the way from stage to stage.",
            parts=[_pairs(report, "latency")],
        ),
    ]
    if report["builds"]:
        sections.append(
            Section(
                name="builds",
                title="Area and clock",
                text="Placed and routed with the serial link of a board, seed 1.",
                parts=[_builds(report)],
            )
        )
    return Page(
        title=f"Datasheet of {manifest['name']}",
        remark=f"{len(manifest['streams'])} streams; {len(manifest['parameters'])} parameters",
        report=report,
        sections=sections,
    )


def _ports(report: Mapping[str, Any]) -> Table:
    rows: list[Row] = []
    for n, port in enumerate(report["manifest"]["streams"]):
        at = f"/manifest/streams/{n}"
        # Of AXI4-Stream ports whole bytes; of streams the payload itself
        if "tdata_bytes" in port:
            width: Row = [number(report, f"{at}/tdata_bytes"), "tlast" if port["tlast"] else ""]
        else:
            fixed = ("always_valid", "always_ready")
            width = [number(report, f"{at}/width"), ", ".join(f.replace("_", " ") for f in fixed if port[f])]
        rows.append([port["name"], port["direction"], *width])
    axi = any("tdata_bytes" in port for port in report["manifest"]["streams"])
    return Table(columns=("stream", "direction", "bytes of tdata" if axi else "bits", ""), rows=rows)


def _fields(report: Mapping[str, Any]) -> Table:
    rows: list[Row] = []
    for n, port in enumerate(report["manifest"]["streams"]):
        at = f"/manifest/streams/{n}/layout"
        rows += ([port["name"], *row] for row in _leaves(report, port["layout"], at, "", 0))
    return Table(columns=("stream", "field", "from bit", "bits", "elements", "signed"), rows=rows)


def _leaves(
    report: Mapping[str, Any], layout: Mapping[str, Any], at: str, name: str, offset: int
) -> Iterator[Row]:
    """Field, first bit, width, number of elements, sign of every integer of a layout."""
    if "fields" in layout:
        for field, part in layout["fields"].items():
            inner = f"{at}/fields/{key(field)}/layout"
            yield from _leaves(report, part["layout"], inner, f"{name}.{field}", offset + part["offset"])
    elif "element" in layout and "fields" in layout["element"]:
        size = layout["element"]["width"]
        for index in range(layout["length"]):
            inner = f"{name}[{index}]"
            yield from _leaves(report, layout["element"], f"{at}/element", inner, offset + index * size)
    else:
        element = layout.get("element", layout)
        inside = f"{at}/element" if "element" in layout else at
        count: str | Number = number(report, f"{at}/length") if "element" in layout else ""
        sign = "signed" if element["signed"] else ""
        yield [name.removeprefix(".") or "value", str(offset), number(report, f"{inside}/width"), count, sign]


def _pairs(report: Mapping[str, Any], part: str) -> Table:
    rows: list[Row] = []
    for name, value in report["manifest"][part].items():
        exact = isinstance(value, int) and not isinstance(value, bool)
        shown = number(report, f"/manifest/{part}/{key(name)}") if exact else str(value)
        rows.append([name.replace("_", " "), shown])
    return Table(columns=(), rows=rows)


def _builds(report: Mapping[str, Any]) -> Table:
    rows: list[Row] = [
        [
            f"{build['board']} ({build['device']})",
            *(number(report, f"/builds/{n}/{name}", form) for name, (_, form) in FIGURES.items()),
        ]
        for n, build in enumerate(report["builds"])
    ]
    return Table(columns=("board", *(words for words, _ in FIGURES.values())), rows=rows)
