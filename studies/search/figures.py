"""Pictures of a code search: each a function of the plain values that are written beside it as JSON."""

from collections.abc import Callable
from typing import Any

from matplotlib.figure import Figure

from studies.plot_style import BLUE, FAINT, GREEN, INK, VERMILION, base_text, label_right, new_figure, styled


def _of(data: dict[str, Any]) -> str:
    return f"{data['network']}; {data['data']}"


@styled()
def error_against_base(data: dict[str, Any]) -> Figure:
    """Relative RMSE over B, one line per T; attention outputs left, dense inputs right."""
    figure = new_figure(9.2, 4.4, "Error of the code against its base", _of(data))
    axes = figure.subplots(1, 2, sharey=True)
    for axis, key, title in (
        (axes[0], "attention", "attention outputs"),
        (axes[1], "inputs", "dense inputs"),
    ):
        for number, (steps, points) in enumerate(data["lines"].items()):
            best = min(points, key=lambda p: p[key])
            line = {"color": f"C{number}", "label": f"T = {steps}, least at B = {best['base']:.2f}"}
            axis.plot([p["base"] for p in points], [p[key] for p in points], **line)
            axis.plot(best["base"], best[key], "o", color=line["color"])
        axis.set(title=title, xlabel="base B", yscale="log")
        axis.yaxis.set_major_formatter(lambda value, _: f"{value:g}")
        axis.grid()
        axis.legend(loc="lower right")
    axes[0].set_ylabel("relative RMSE")
    return figure


@styled()
def score_and_energy(data: dict[str, Any]) -> Figure:
    """Score, cosine with the float embeddings and energy over T, at the best base of each T."""
    figure = new_figure(11.0, 4.2, "Score, cosine and energy against T", _of(data))
    axes = figure.subplots(1, 3)
    points = data["points"]
    steps = [p["steps"] for p in points]
    # The loss is the float score less the spiking one, and its interval is a paired one
    loss = [p["loss"] for p in points]
    floats = points[0]["score"]["value"] + loss[0]["value"]
    spread = [[x["high"] - x["value"] for x in loss], [x["value"] - x["low"] for x in loss]]
    values = [floats - x["value"] for x in loss]
    axes[0].errorbar(steps, values, yerr=spread, marker="o", capsize=3, color=BLUE)
    axes[0].axhline(floats, color=INK, linestyle="--", linewidth=1)
    axes[0].set(title=f"{data['metric']}, {data['samples']} pairs", ylabel="bars: 95 % of the paired loss")
    for name in ("mean", "min"):
        axes[1].plot(steps, [p["cosine"][name] for p in points], marker="o", color=GREEN)
    axes[1].set(title="cosine with the float embeddings")
    ratios = [p["energy"]["spiking"] / p["energy"]["float"] for p in points]
    axes[2].plot(steps, ratios, color=VERMILION, marker="o")
    axes[2].set(title="energy, spiking over float", ylabel="paper accounting", ylim=(0, 1))
    for axis in axes:
        axis.set_xticks(steps, labels=[f"{p['steps']}\n{p['log2_base']}" for p in points])
        axis.set_xlabel("T, below it log2 of its best base")
        axis.grid()
    label_right(axes[0], [(floats, "float", INK), (values[-1], "spiking", BLUE)])
    label_right(
        axes[1],
        [(points[-1]["cosine"][name], text, GREEN) for name, text in (("mean", "mean"), ("min", "least"))],
    )
    return figure


@styled()
def energy_against_length(data: dict[str, Any]) -> Figure:
    """Paper's accounting left, hardware's right, over the number of tokens."""
    remark = f"{_of(data)}; {data['survivors_per_row']:.1f} keys fire per row, at any length"
    figure = new_figure(9.2, 4.4, "Energy against the number of tokens", remark)
    axes = figure.subplots(1, 2)
    for axis, table, title, unit, lines in (
        (
            *(axes[0], data["paper"], "whole encoder", "mJ, paper accounting"),
            (("float", "float,\n32 bits", VERMILION), ("spiking", "spiking", BLUE)),
        ),
        (
            *(axes[1], data["hardware"], f"one head, preset {data['preset']}", "µJ, hardware accounting"),
            (("mac", "multiply-\naccumulate,\n8 bits", VERMILION), ("spiking", "spiking", BLUE)),
        ),
    ):
        tokens = [p["tokens"] for p in table]
        for key, _, colour in lines:
            axis.plot(tokens, [p[key] for p in table], marker="o", color=colour)
        axis.set(title=title, xlabel="tokens", ylabel=unit, xscale="log", yscale="log")
        axis.set_xticks(tokens, labels=[str(count) for count in tokens])
        axis.yaxis.set_major_formatter(lambda value, _: f"{value:g}")
        axis.minorticks_off()
        axis.grid()
        label_right(axis, [(table[-1][key], text, colour) for key, text, colour in lines])
    return figure


@styled()
def decoded_against_real(data: dict[str, Any]) -> Figure:
    """Scatter of decoded over real values, one panel per kind of activation."""
    panels = data["panels"]
    remark = f"T = {data['steps']}, {base_text(data['log2_base'])}; {_of(data)}"
    figure = new_figure(3.0 * len(panels), 3.9, "Decoded against real inputs of dense layers", remark)
    for axis, panel in zip(figure.subplots(1, len(panels), squeeze=False)[0], panels, strict=True):
        ends = [min(panel["real"]), max(panel["real"])]
        axis.plot(ends, ends, color=FAINT, linewidth=0.8)
        axis.plot(panel["real"], panel["decoded"], ".", color=BLUE, markersize=2.5, alpha=0.5)
        axis.set(title=panel["name"], xlabel="real")
        axis.locator_params(nbins=5)
        axis.grid()
    figure.axes[0].set_ylabel("decoded; on the line both are equal")
    return figure


@styled()
def survivors_per_row(data: dict[str, Any]) -> Figure:
    """Histogram of the share of a row's keys that fire, one panel per window."""
    lines = data["lines"]
    remark = f"T = {data['steps']}, {base_text(data['log2_base'])}; {_of(data)}"
    figure = new_figure(3.2 * len(lines), 3.9, "Keys of an attention row that fire", remark)
    axes = figure.subplots(1, len(lines), sharey=True, squeeze=False)[0]
    for axis, line in zip(axes, lines, strict=True):
        axis.stairs(line["rows"], data["edges"], fill=True, color=BLUE)
        share = line["mean"] / line["keys"]
        axis.axvline(share, color=INK, linestyle="--", linewidth=1)
        side, gap = ("left", 5) if share < 0.5 else ("right", -5)
        text = f"{line['mean']:.1f} of\n{line['keys']:.1f} keys\non average"
        axis.annotate(
            text,
            (share, 0.97),
            (gap, 0),
            xycoords=("data", "axes fraction"),
            textcoords="offset points",
            ha=side,
            va="top",
        )
        axis.set(title=f"ramp of {line['window']} steps", xlabel="share of the row's keys", xlim=(0, 1))
        axis.grid()
    axes[0].set_ylabel("rows")
    return figure


@styled()
def density_crossover(data: dict[str, Any]) -> Figure:
    """Energy of a head over the density of spikes, one panel per preset with its own rival."""
    lines = data["lines"]
    remark = (
        f"head of {data['tokens']} tokens and {data['head_dim']} features; keys that fire as in {_of(data)}"
    )
    figure = new_figure(3.4 * len(lines), 4.2, "Energy of a head against the density of its spikes", remark)
    axes = figure.subplots(1, len(lines), sharey=True, squeeze=False)[0]
    for axis, line in zip(axes, lines, strict=True):
        curve, meet = line["curve"], line["crossover"]
        axis.plot(curve["density"], curve["mac"], color=VERMILION, linestyle="--")
        axis.plot(curve["density"], curve["spiking"], color=BLUE)
        middle = len(curve["density"]) // 2
        for key, text, colour, index in (
            ("mac", "8-bit multiply-accumulate", VERMILION, 0),
            ("spiking", "spiking", BLUE, middle),
        ):
            place = curve["density"][index], curve[key][index]
            axis.annotate(text, place, (6, -6), textcoords="offset points", va="top", color=colour)
        if meet is not None:
            axis.axvline(meet, color=INK, linewidth=0.8, linestyle=":")
            axis.annotate(
                f"meet at {meet:.2f} ",
                (meet, 0.03),
                xycoords=("data", "axes fraction"),
                ha="right",
            )
        title = f"{line['preset']}: {line['lanes']} lanes, T = {line['steps']}"
        axis.set(title=title, xlabel="density of spikes in q, k, v", xlim=(0, 1), ylim=(0, None))
        axis.grid()
    axes[0].set_ylabel("µJ")
    return figure


FIGURES: dict[str, Callable[[dict[str, Any]], Figure]] = {
    "error-against-base": error_against_base,
    "score-and-energy-against-steps": score_and_energy,
    "energy-against-length": energy_against_length,
    "decoded-against-real": decoded_against_real,
    "survivors-per-row": survivors_per_row,
    "energy-against-density": density_crossover,
}
