"""Picture of a sweep: what the error costs, with the configurations that pay least for it."""

from pathlib import Path
from typing import Any

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from studies.plot_style import CYCLE, FAINT, INK, base_text, new_figure, styled
from studies.sweep.grid import RANDOM

AXES = (("energy", "energy, µJ"), ("cycles", "cycles"), ("lut4", "LUT4-equivalents; hollow: estimated"))
# A point whose error is less than this below that of a cheaper one would cover it, and gets no number
APART = 0.03
# Inches of a row of the list
ROW = 0.21
Point = dict[str, Any]


def front(points: list[Point], key: str) -> list[Point]:
    """The points that no other of their model beats in error and `key`, by rising `key`."""
    least: dict[str, float] = {}
    found = []
    for point in sorted(points, key=lambda p: (p[key], p["error"])):
        if point["error"] < least.get(point["model"], float("inf")):
            least[point["model"]] = point["error"]
            found.append(point)
    return found


def numbered(points: list[Point]) -> list[Point]:
    """Points of the fronts of all panels that can be told apart by eye, by rising error."""
    chosen: list[Point] = []
    for key, _ in AXES:
        known = [p for p in points if p[key] is not None]
        for model in dict.fromkeys(p["model"] for p in known):
            last = float("inf")
            for point in front([p for p in known if p["model"] == model], key):
                if point["error"] < (1 - APART) * last:
                    last = point["error"]
                    if point not in chosen:
                        chosen.append(point)
    return sorted(chosen, key=lambda p: (p["model"], p["error"], p["lanes"]))


@styled()
def pareto(data: dict[str, Any]) -> Figure:
    """Error of every point of a sweep over energy, cycles and area, a colour per model.

    Lines join the points that no other of the model beats in these two; those on a line have numbers, and a
    list says which configuration each is. Hollow areas are estimates.
    """
    points = data["points"]
    models = list(dict.fromkeys(p["model"] for p in points))
    colours = {model: CYCLE[number % len(CYCLE)] for number, model in enumerate(models)}
    names = numbered(points)
    shown = "lines join those that no other beats, the list at the right names those with a number"
    remark = f"{len(points)} configurations; {shown}"
    height = max(4.6, 1.6 + ROW * len(names))
    title = f"Error and its price: {', '.join(_name(model) for model in models)}"
    figure = new_figure(12.6, height, title, remark)
    *axes, table = figure.subplots(1, 4, width_ratios=(1, 1, 1, 0.7))
    for axis, (key, label) in zip(axes, AXES, strict=True):
        known = [p for p in points if p[key] is not None]
        for point in known:
            hollow = key == "lut4" and point["area_source"] != "synthesised"
            colour = colours[point["model"]]
            face = "white" if hollow else colour
            axis.plot(point[key], point["error"], "o", mec=colour, mfc=face, alpha=0.85, zorder=3)
        for model in models:
            line = front([p for p in known if p["model"] == model], key)
            axis.plot([p[key] for p in line], [p["error"] for p in line], color=colours[model], linewidth=0.9)
            for point in line:
                if point in names:
                    _number(axis, point, key, names.index(point) + 1)
        values = [p[key] for p in known]
        wide = bool(values) and max(values) > 10 * min(values)
        axis.set(title=label, xscale="log" if wide else "linear", yscale="log")
        axis.margins(0.1)
        if not wide:
            axis.locator_params(axis="x", nbins=5)
            axis.xaxis.set_major_formatter(lambda value, _: f"{value:,g}")
        for which in (axis.yaxis.set_major_formatter, axis.yaxis.set_minor_formatter):
            which(lambda value, _: f"{value:g}")
        axis.grid(which="both")
    for axis in axes[1:]:
        axis.sharey(axes[0])
        axis.tick_params(labelleft=False, which="both")
    axes[0].set_ylabel("relative RMSE")
    _list(table, names, colours, rows=(height - 1.6) / ROW)
    return figure


def _name(model: str) -> str:
    return "random heads" if model == RANDOM else Path(model).name


def _number(axis: Axes, point: Point, key: str, number: int) -> None:
    axis.annotate(
        str(number),
        (point[key], point["error"]),
        (-4, -4),
        textcoords="offset points",
        ha="right",
        va="top",
        size=8,
    )


def _list(table: Axes, names: list[Point], colours: dict[str, str], rows: float) -> None:
    """The configuration behind each number."""
    table.set_axis_off()
    table.set(xlim=(0, 1), ylim=(rows, -0.5))
    several = len(colours) > 1
    columns = (("", 0.06), ("lanes", 0.26), ("T", 0.38), ("B", 0.42), ("F", 0.72), ("model", 0.77))
    for title, x in columns[: 6 if several else 5]:
        table.text(x, 0, title, ha="left" if title in ("B", "model") else "right", color=FAINT)
    for row, point in enumerate(names, 1):
        colour = colours[point["model"]] if several else INK
        base = base_text(point["log2_base"], name=False)
        cells = (row, point["lanes"], point["steps"], base, point["trace_bits"], _name(point["model"]))
        for (title, x), cell in zip(columns[: 6 if several else 5], cells, strict=False):
            table.text(x, row, str(cell), ha="left" if title in ("B", "model") else "right", color=colour)
