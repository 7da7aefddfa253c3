"""The page of a sweep: what the error costs, and the configurations that no other beats."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from studies.page.page import Figure, Number, Page, Section, Table, number
from studies.page.plots import points
from studies.sweep.picture import AXES, front
from studies.sweep.run import REFUSED

COLOURS = ("--blue", "--vermilion", "--green", "--purple", "--orange", "--sky")
SHAPES = ("circle", "square", "diamond", "triangle-up", "cross", "x")
AXIS = ("lanes", "steps", "log2_base", "trace_bits")


def page(report: Mapping[str, Any]) -> Page:
    """The page of what sweep.json holds."""
    measured = [point for point in report["points"] if REFUSED not in point]
    refused = len(report["points"]) - len(measured)
    models = list(dict.fromkeys(point["model"] for point in measured))
    return Page(
        title=f"Error and its price: {', '.join(Path(model).name for model in models)}",
        remark=f"{len(measured)} configurations, {refused} that no core can be; seed {report['seed']}",
        report=report,
        sections=[
            Section(
                name="front",
                title="What the error costs",
                text="Lines join the points that no other of the model beats in error and this price.",
                parts=[_figure(measured, models, name, label) for name, label in AXES],
            ),
            Section(name="points", title="Points that no other beats", parts=[_table(report)]),
        ],
    )


def _figure(measured: Sequence[dict[str, Any]], models: Sequence[str], name: str, label: str) -> Figure:
    series: dict[str, dict[str, Any]] = {}
    for number_, model in enumerate(models):
        known = [point for point in measured if point["model"] == model and point[name] is not None]
        best = front(known, name)
        colour, words = COLOURS[number_ % len(COLOURS)], Path(model).name
        common = {"legendgroup": model, "hovertemplate": "%{text}<br>error %{y:.4f}, %{x:,}<extra></extra>"}
        series[words] = common | {
            "x": [point[name] for point in known],
            "y": [point["error"] for point in known],
            "text": [_words(point) for point in known],
            "mode": "markers",
            "marker": {
                "color": colour,
                "size": 8,
                "symbol": [
                    SHAPES[number_ % len(SHAPES)]
                    + ("-open" if name == "lut4" and point["area_source"] != "synthesised" else "")
                    for point in known
                ],
            },
        }
        series[f"{words}, front"] = common | {
            "x": [point[name] for point in best],
            "y": [point["error"] for point in best],
            "text": [_words(point) for point in best],
            "mode": "lines",
            "line": {"color": colour, "width": 1},
            "showlegend": False,
            "hoverinfo": "skip",
        }
    axes = (
        {"title": {"text": label}, "type": "log"},
        {"title": {"text": "relative RMSE"}, "type": "log"},
    )
    return points(f"error-{name}", f"Error over {label}", series, axes)


def _words(point: Mapping[str, Any]) -> str:
    return (
        f"{point['lanes']} lanes, T = {point['steps']}, B = 2^({point['log2_base']}), "
        f"F = {point['trace_bits']}"
    )


def _table(report: Mapping[str, Any]) -> Table:
    best = [(n, point) for n, point in enumerate(report["points"]) if point["front"]]
    rows: list[list[str | Number]] = []
    for n, point in sorted(best, key=lambda pair: pair[1]["error"]):
        at = f"/points/{n}"
        rows.append(
            [
                Path(point["model"]).name,
                *(str(point[name]) for name in AXIS),
                number(report, f"{at}/error", "{:.4f}"),
                number(report, f"{at}/accuracy", "{:.1f}"),
                number(report, f"{at}/cycles"),
                number(report, f"{at}/energy", "{:.4f}"),
                number(report, f"{at}/lut4"),
            ]
        )
    columns = ("model", "lanes", "T", "log2 B", "F", "error", "right, %", "cycles", "µJ", "LUT4")
    return Table(columns=columns, rows=rows)
