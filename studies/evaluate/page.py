"""The page of an evaluation: scores, errors node by node, and what fires."""

from typing import Any

from studies.page.page import Figure, Number, Page, Section, Table, key, number
from studies.page.plots import points

COLOURS = ("--blue", "--vermilion", "--green", "--purple")


def page(report: dict[str, Any]) -> Page:
    """The page of a report of `onespike evaluate`."""
    code, modes = report["code"], report["modes"]
    title = f"{report['layout']}: {report['metric']}"
    scores: dict[str, Any] = {
        "score": {
            "x": list(modes),
            "y": [entry["score"]["value"] for entry in modes.values()],
            "error_y": _interval([entry["score"] for entry in modes.values()]),
            "mode": "markers",
            "marker": {"color": "--blue", "size": 10},
            "hovertemplate": "%{x}: %{y:.2f}<extra></extra>",
        }
    }
    axes = ({"type": "category"}, {"title": {"text": report["metric"]}})
    sections = [
        Section(
            name="overview",
            title="Scores",
            text="Intervals hold 95 % of the bootstrap's repetitions.",
            parts=[_scores(report), points("scores", "Score of each mode", scores, axes)],
        )
    ]
    if any(node["error"] is not None for node in report["nodes"]):
        sections.append(_nodes(report))
    if any("activity" in entry and entry["activity"] for entry in modes.values()):
        sections.append(_activity(report))
    return Page(
        title=title,
        remark=f"{report['model']} on {report['data']}: {report['samples']} samples, seed {report['seed']}; "
        f"T = {code['steps']}, B = 2^({code['log2_base']})",
        report=report,
        sections=sections,
    )


def _interval(estimates: list[dict[str, Any]]) -> dict[str, Any]:
    known = all(one["low"] is not None for one in estimates)
    if not known:
        return {}
    return {
        "type": "data",
        "symmetric": False,
        "array": [one["high"] - one["value"] for one in estimates],
        "arrayminus": [one["value"] - one["low"] for one in estimates],
        "color": "--faint",
    }


def _scores(report: dict[str, Any]) -> Table:
    rows: list[list[str | Number]] = []
    for mode, entry in report["modes"].items():
        at = f"/modes/{key(mode)}"
        pointers = [f"{at}/score/{part}" for part in ("value", "low", "high")]
        row: list[str | Number] = [mode, *(number(report, pointer, "{:.2f}") for pointer in pointers)]
        if "loss" in entry:
            row.append(number(report, f"{at}/loss/value", "{:.2f}"))
            row += [number(report, f"{at}/cosine/{name}", "{:.4f}") for name in ("mean", "min")]
        rows.append(row)
    columns = ("mode", "score", "low", "high", "loss", "cosine with floats", "least")
    return Table(columns=columns, rows=rows)


def _nodes(report: dict[str, Any]) -> Section:
    measured = [(n, node) for n, node in enumerate(report["nodes"]) if node["error"] is not None]
    names = [node["node"] for _, node in measured]
    drawn = {"in place": ("error", COLOURS[0], "circle"), "the nearest code alone": ("code", COLOURS[1], "x")}
    series = {
        what: {
            "x": list(range(len(names))),
            "y": [node[field] for _, node in measured],
            "text": names,
            "mode": "lines+markers",
            "marker": {"color": colour, "symbol": symbol},
            "line": {"color": colour},
            "hovertemplate": "%{text}: %{y:.4f}<extra></extra>",
        }
        for what, (field, colour, symbol) in drawn.items()
        if any(node[field] is not None for _, node in measured)
    }
    axes = (
        {"title": {"text": "node, in order of execution"}},
        {"title": {"text": "relative RMSE"}, "rangemode": "tozero"},
    )
    rows: list[list[str | Number]] = [
        [
            node["node"],
            node["outcome"],
            *(
                "" if node[field] is None else number(report, f"/nodes/{n}/{field}", "{:.4f}")
                for field in ("error", "code", "density")
            ),
            node["reason"],
        ]
        for n, node in measured
    ]
    return Section(
        name="nodes",
        title="Errors, node by node",
        text="Of the integers against the floats, on the samples that set the scales.",
        parts=[
            points("errors", "Error along the depth", series, axes),
            Table(columns=("node", "outcome", "error", "its code's", "fires", "why"), rows=rows),
        ],
    )


def _activity(report: dict[str, Any]) -> Section:
    parts: list[Table | Figure] = []
    series: dict[str, dict[str, Any]] = {}
    for colour, (mode, entry) in zip(COLOURS * 2, report["modes"].items(), strict=False):
        activity = entry.get("activity")
        if activity:
            series[mode] = {
                "x": list(range(len(activity))),
                "y": [one["density"] for one in activity.values()],
                "text": list(activity),
                "mode": "lines+markers",
                "marker": {"color": colour},
                "line": {"color": colour},
                "hovertemplate": "%{text}: %{y:.3f}<extra></extra>",
            }
            parts.append(
                Table(
                    columns=("node", "neurons", "spikes", "density"),
                    rows=[
                        [
                            name,
                            number(report, f"/modes/{key(mode)}/activity/{key(name)}/neurons"),
                            number(report, f"/modes/{key(mode)}/activity/{key(name)}/spikes"),
                            number(report, f"/modes/{key(mode)}/activity/{key(name)}/density", "{:.4f}"),
                        ]
                        for name in activity
                    ],
                    caption=f"Mode {mode}",
                )
            )
    axes = (
        {"title": {"text": "node, as in the table"}},
        {"title": {"text": "share that fires"}, "range": [0, 1.02]},
    )
    return Section(
        name="activity",
        title="What fires",
        parts=[points("density", "Share of the neurons that fire", series, axes), *parts],
    )
