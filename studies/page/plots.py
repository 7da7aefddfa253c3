"""Figures that several pages draw: bars, a timeline, points."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from studies.page.page import Figure

# Pixels of a bar, and of what stands around them
BAR, AROUND = 24, 70


def bars(
    name: str,
    title: str,
    series: Mapping[str, tuple[Sequence[str], Sequence[float | None], str]],
    unit: str,
    caption: str = "",
) -> Figure:
    """Horizontal bars from the top down, of one series or of several side by side.

    Args:
        series: names, values and colour by what the series is; a value that is not known has no bar.
        unit: of the values.
    """
    several = len(series) > 1
    rows = len({one for names, _, _ in series.values() for one in names})
    data = [
        {
            "type": "bar",
            "orientation": "h",
            "name": what,
            "y": list(names),
            "x": list(values),
            "marker": {"color": colour},
            "hovertemplate": f"%{{y}}: %{{x:,}} {unit}<extra>{what if several else ''}</extra>",
        }
        for what, (names, values, colour) in series.items()
    ]
    layout = {
        "height": AROUND + BAR * rows * (1 + (len(series) - 1) // 2),
        "xaxis": {"title": {"text": unit}, "rangemode": "tozero"},
        "yaxis": {"autorange": "reversed", "type": "category", "showgrid": False},
        **({"showlegend": True, "legend": LEGEND, "margin": LEGEND_MARGIN} if several else {}),
    }
    return Figure(name=name, title=title, kind="plot", spec={"data": data, "layout": layout}, caption=caption)


LEGEND = {"orientation": "h", "x": 0, "y": 1.0, "yanchor": "bottom", "xanchor": "left"}
LEGEND_MARGIN = {"l": 44, "r": 12, "t": 40, "b": 40}


def timeline(
    name: str,
    title: str,
    segments: Iterable[tuple[str, str, int, int]],
    colours: Mapping[str, str],
    caption: str = "",
) -> Figure:
    """What each unit does when.

    Args:
        segments: unit, what it does, first and last cycle.
        colours: by unit, in the order of the rows.
    """
    by_unit: dict[str, list[tuple[str, str, int, int]]] = {unit: [] for unit in colours}
    for segment in segments:
        by_unit[segment[0]].append(segment)
    data = [
        {
            "type": "bar",
            "orientation": "h",
            "name": unit,
            "y": [unit] * len(stretches),
            "base": [first for _, _, first, _ in stretches],
            "x": [last - first + 1 for _, _, first, last in stretches],
            "customdata": [[what, last] for _, what, _, last in stretches],
            "marker": {"color": colours[unit], "line": {"color": "--panel", "width": 0.5}},
            "hovertemplate": "%{customdata[0]}<br>cycles %{base:,} to %{customdata[1]:,}<extra>%{y}</extra>",
        }
        for unit, stretches in by_unit.items()
    ]
    layout = {
        "height": AROUND + 44 * len(by_unit),
        "barmode": "overlay",
        "bargap": 0.15,
        "xaxis": {"title": {"text": "cycle"}},
        "yaxis": {"autorange": "reversed", "showgrid": False},
    }
    return Figure(name=name, title=title, kind="plot", spec={"data": data, "layout": layout}, caption=caption)


def points(
    name: str,
    title: str,
    series: Mapping[str, Mapping[str, Any]],
    axes: tuple[Mapping[str, Any], Mapping[str, Any]],
    caption: str = "",
) -> Figure:
    """Points and lines.

    Args:
        series: what each is, and what plotly.js wants of a scatter trace.
        axes: the horizontal and the vertical one.
    """
    data = [{"type": "scatter", "name": what, **trace} for what, trace in series.items()]
    layout: dict[str, Any] = {"height": 360, "xaxis": dict(axes[0]), "yaxis": dict(axes[1])}
    if len(series) > 1:
        layout |= {"showlegend": True, "legend": LEGEND, "margin": LEGEND_MARGIN}
    return Figure(name=name, title=title, kind="plot", spec={"data": data, "layout": layout}, caption=caption)
