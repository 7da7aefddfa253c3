"""What the pages of all schemes of attention show: errors by head, firing, events, time."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from studies.page.page import Figure, Number, Section, Table, number, packed
from studies.page.plots import bars, points

# Entries of the maps of a page, and spikes of a raster: what a phone still draws at once
MAP_ENTRIES, RASTER_SPIKES = 1 << 18, 3000
MEASURES = ("cosine", "relative_rmse")


def shown_heads(heads: int, tokens: int) -> int:
    """The first heads that the views of a page show, at least one."""
    return max(1, min(heads, MAP_ENTRIES // tokens**2))


def overview(report: Mapping[str, Any], summary: Sequence[tuple[str, str]]) -> Section:
    """What the terminal says, and errors and time of each head."""
    cycles, outputs = report["cycles"], [name for name in ("out", "out_raw") if name in report["error"]]
    rows: list[list[str | Number]] = []
    for head in range(report["shape"]["heads"]):
        time = [] if cycles is None else [f"/cycles/heads/{head}", f"/cycles/head_durations/{head}"]
        errors = [f"/error/{name}/heads/{head}/{measure}" for name in outputs for measure in MEASURES]
        row = [number(report, pointer) for pointer in time]
        rows.append([str(head), *row, *(number(report, pointer, "{:.4f}") for pointer in errors)])
    whole: list[str | Number] = [
        number(report, f"/error/{name}/{measure}", "{:.4f}") for name in outputs for measure in MEASURES
    ]
    total: list[str | Number] = [] if cycles is None else [number(report, "/cycles/total"), ""]
    words = {"out": "output", "out_raw": "raw output"}
    columns = [
        "head",
        *([] if cycles is None else ["complete at cycle", "cycles"]),
        *(f"{words[name]}, {measure}" for name in outputs for measure in ("cosine", "relative RMSE")),
    ]
    return Section(
        name="overview",
        title="Overview",
        parts=[
            Table(columns=(), rows=summary),
            Table(columns=columns, rows=[*rows, ["all", *total, *whole]], caption="Heads"),
        ],
    )


def raster(
    inputs: Mapping[str, tuple[NDArray[np.integer], NDArray[np.integer]]],
    heads: int,
    tokens: int,
    head_dim: int,
    steps: int,
) -> Figure:
    """Rasters of the inputs of the first heads, over time.

    Args:
        inputs: by name, time and sign of every spike: indices [spikes, 4] of head, token, feature and
            time step, and [spikes] -1 or 1.
    """
    shown = tokens
    for where, _ in inputs.values():
        for head in range(heads):
            spikes = np.bincount(where[where[:, 0] == head, 1], minlength=tokens).cumsum()
            shown = min(shown, max(1, int(np.searchsorted(spikes, RASTER_SPIKES, side="right"))))
    views = []
    for name, (where, sign) in inputs.items():
        kept = (where[:, 0] < heads) & (where[:, 1] < shown)
        order = np.lexsort((where[kept, 3], where[kept, 0]))
        head, token, feature, time = where[kept][order].T
        views.append(
            {
                "name": name,
                "title": {"q": "queries", "k": "keys", "v": "values"}[name],
                "neurons": shown * head_dim,
                "time": packed(time),
                "neuron": packed(token * head_dim + feature),
                "sign": packed(sign[kept][order]),
                "starts": packed(np.searchsorted(head, np.arange(heads + 1))),
            }
        )
    every = "all tokens" if shown == tokens else f"the first {shown} of {tokens} tokens"
    return Figure(
        name="raster",
        title="Spikes of q, k and v",
        kind="raster",
        spec={"inputs": views, "steps": steps, "head_dim": head_dim, "tokens": shown, "cursor": steps // 4},
        caption=f"A mark is a spike, of {every}; positive spikes are dots, negative ones triangles, those "
        "that come after the cursor grey.",
    )


def maps(
    found: NDArray[np.floating], exact: NDArray[np.floating], titles: tuple[str, str], caption: str
) -> Figure:
    """An attention map beside its reference, [heads, tokens, tokens], and their difference."""
    panels = (
        ("found", titles[0], found, False),
        ("exact", titles[1], exact, False),
        ("difference", "difference", found - exact, True),
    )
    return Figure(
        name="maps",
        title=f"{titles[0]} beside {titles[1]}",
        kind="maps",
        spec={
            "maps": [
                {"name": name, "title": title, "array": packed(array.astype(np.float32)), "signed": signed}
                for name, title, array, signed in panels
            ],
            "most": np.maximum(found, exact).max(axis=(1, 2)).tolist(),
        },
        caption=caption,
    )


def activity(report: Mapping[str, Any], timelines: Sequence[Figure] = ()) -> Section:
    """Firing, and where there is time, events, stages and rows."""
    fires = {name: share for name, share in report["firing"].items() if name != "survivors_per_row"}
    parts: list[Table | Figure] = [
        bars("firing", "Share that fires", {"share": (list(fires), list(fires.values()), "--blue")}, "share"),
        *timelines,
    ]
    if report["events"] is not None:
        busy, events = report["busy_cycles"], report["events"]
        parts += [
            bars(
                "stages", "Cycles at work", {"busy": (list(busy), list(busy.values()), "--green")}, "cycles"
            ),
            Table(
                columns=("event", "count"),
                rows=[[name.replace("_", " "), number(report, f"/events/{name}")] for name in events],
                caption="Events",
            ),
        ]
    if report["cycles"] is not None:
        rows = report["cycles"]["rows"]
        series = {
            f"head {head}": {"y": done, "mode": "lines+markers", "marker": {"size": 4}}
            for head, done in enumerate(rows)
        }
        axes = ({"title": {"text": "row"}}, {"title": {"text": "complete in cycle"}, "rangemode": "tozero"})
        parts.append(points("rows", "When rows are complete", series, axes))
    return Section(name="activity", title="Activity and time", parts=parts)
