"""The figures: each a function of the plain values that are written beside it as JSON."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt
from matplotlib.figure import Figure

SIZE = (7.0, 4.2)


def error_against_base(data: dict[str, Any]) -> Figure:
    """Relative RMSE over B, one line per T; attention outputs left, dense inputs right."""
    figure, axes = plt.subplots(1, 2, figsize=(9.0, 4.2), sharey=True)
    for axis, key, title in (
        (axes[0], "attention", "attention outputs"),
        (axes[1], "inputs", "dense inputs"),
    ):
        for steps, points in data["lines"].items():
            axis.plot([p["base"] for p in points], [p[key] for p in points], marker=".", label=f"T = {steps}")
        axis.set(title=title, xlabel="base B", yscale="log")
        axis.grid(alpha=0.3)
    axes[0].set_ylabel("relative RMSE")
    axes[1].legend()
    return figure


def score_and_energy(data: dict[str, Any]) -> Figure:
    """Score, cosine with the float embeddings and energy over T, at the best base of each T."""
    figure, axes = plt.subplots(1, 3, figsize=(11.0, 3.8))
    points = data["points"]
    steps = [p["steps"] for p in points]
    # The loss is the float score less the spiking one, and its interval is a paired one
    loss = [p["loss"] for p in points]
    floats = points[0]["score"]["value"] + loss[0]["value"]
    spread = [[x["high"] - x["value"] for x in loss], [x["value"] - x["low"] for x in loss]]
    values = [floats - x["value"] for x in loss]
    axes[0].errorbar(steps, values, yerr=spread, marker="o", capsize=3, label="spiking, 95 % of the loss")
    axes[0].axhline(floats, color="grey", linestyle="--", linewidth=0.9, label="float")
    axes[0].set(ylabel=f"{data['metric']}, {data['samples']} pairs")
    axes[0].legend(loc="lower right")
    for name, marker in (("mean", "o"), ("min", "v")):
        axes[1].plot(steps, [p["cosine"][name] for p in points], marker=marker, label=name)
    axes[1].set(ylabel="cosine with float embeddings")
    axes[1].legend()
    ratios = [p["energy"]["spiking"] / p["energy"]["float"] for p in points]
    axes[2].plot(steps, ratios, color="tab:red", marker="s")
    axes[2].set(ylabel="energy, spiking / float (paper accounting)", ylim=(0, 1))
    for axis in axes:
        axis.set(xlabel="steps T")
        axis.set_xticks(steps, labels=[f"{p['steps']}\n{p['log2_base']}" for p in points])
        axis.grid(alpha=0.3)
    axes[1].set_xlabel("steps T, below them log2 of the base")
    return figure


def energy_against_length(data: dict[str, Any]) -> Figure:
    """Paper's accounting left, hardware's right, over the number of tokens."""
    figure, axes = plt.subplots(1, 2, figsize=(9.0, 4.2))
    tokens = [p["tokens"] for p in data["paper"]]
    for key in ("float", "spiking"):
        axes[0].plot(tokens, [p[key] for p in data["paper"]], marker=".", label=key)
    axes[0].set(
        title="paper accounting, whole encoder", xlabel="tokens", ylabel="mJ", xscale="log", yscale="log"
    )
    tokens = [p["tokens"] for p in data["hardware"]]
    for key, label in (("mac", "8-bit multiply-accumulate"), ("spiking", "spiking")):
        axes[1].plot(tokens, [p[key] for p in data["hardware"]], marker=".", label=label)
    axes[1].set(
        title="hardware accounting, one head", xlabel="tokens", ylabel="µJ", xscale="log", yscale="log"
    )
    for axis in axes:
        axis.set_xticks(tokens, labels=[str(count) for count in tokens])
        axis.minorticks_off()
        axis.grid(alpha=0.3)
        axis.legend()
    return figure


def decoded_against_real(data: dict[str, Any]) -> Figure:
    """Scatter of decoded over real values, one panel per kind of activation."""
    figure, axes = plt.subplots(1, len(data["panels"]), figsize=(3.2 * len(data["panels"]), 3.4))
    for axis, panel in zip(axes, data["panels"], strict=True):
        axis.plot(panel["real"], panel["decoded"], ".", markersize=2, alpha=0.5)
        ends = [min(panel["real"]), max(panel["real"])]
        axis.plot(ends, ends, color="grey", linewidth=0.8)
        axis.set(title=panel["name"], xlabel="real")
    axes[0].set_ylabel("decoded")
    return figure


def survivors_per_row(data: dict[str, Any]) -> Figure:
    """Histogram of the share of a row's keys that fire, one line per window."""
    figure, axis = plt.subplots(figsize=SIZE)
    for line in data["lines"]:
        label = f"Ts = {line['window']}: {line['mean']:.1f} keys of {line['keys']:.1f} on average"
        axis.stairs(line["rows"], data["edges"], label=label)
    axis.set(xlabel="share of the keys of a row that fire", ylabel="rows")
    axis.grid(alpha=0.3)
    axis.legend()
    return figure


def density_crossover(data: dict[str, Any]) -> Figure:
    """Energy of a head over the density of spikes, spiking core and multiply-accumulate lanes."""
    figure, axis = plt.subplots(figsize=SIZE)
    for line in data["lines"]:
        curve = line["curve"]
        (drawn,) = axis.plot(curve["density"], curve["spiking"], label=f"{line['preset']}, spiking")
        axis.plot(curve["density"], curve["mac"], color=drawn.get_color(), linestyle="--")
        if line["crossover"] is not None:
            axis.axvline(line["crossover"], color=drawn.get_color(), linewidth=0.7, linestyle=":")
    axis.set(
        xlabel="density of spikes in q, k, v",
        ylabel=f"µJ, head of {data['tokens']} tokens and {data['head_dim']} features",
        ylim=(0, None),
    )
    axis.plot([], [], color="grey", linestyle="--", label="8-bit multiply-accumulate, same lanes")
    axis.grid(alpha=0.3)
    axis.legend(loc="upper left", bbox_to_anchor=(0.0, 0.82))
    return figure


def pareto(data: dict[str, Any]) -> Figure:
    """Error of every point of a sweep over energy, cycles and area, a colour per model.

    Lines join the points that no other of the model beats in these two; hollow areas are estimates.
    """
    figure, axes = plt.subplots(1, 3, figsize=(11.0, 4.0), sharey=True)
    models = list(dict.fromkeys(p["model"] for p in data["points"]))
    for axis, key, label in (
        (axes[0], "energy", "energy, µJ"),
        (axes[1], "cycles", "cycles"),
        (axes[2], "lut4", "LUT4-equivalents (hollow: estimated)"),
    ):
        for number, model in enumerate(models):
            colour = f"C{number}"
            known = (p for p in data["points"] if p["model"] == model and p[key] is not None)
            points = sorted(known, key=lambda p: (p[key], p["error"]))
            solid = [colour if key != "lut4" or p["area_source"] == "synthesised" else "none" for p in points]
            axis.scatter(
                [p[key] for p in points],
                [p["error"] for p in points],
                s=18,
                facecolors=solid,
                edgecolors=colour,
                label=Path(model).name,
            )
            least, front = float("inf"), []
            for point in points:
                if point["error"] < least:
                    least = point["error"]
                    front.append(point)
            axis.plot([p[key] for p in front], [p["error"] for p in front], color=colour, linewidth=0.8)
        values = [p[key] for p in data["points"] if p[key] is not None]
        wide = bool(values) and max(values) > 10 * min(values)
        axis.set(xlabel=label, xscale="log" if wide else "linear", yscale="log")
        if not wide:
            axis.locator_params(axis="x", nbins=5)
        axis.grid(alpha=0.3, which="both")
    for which in (axes[0].yaxis.set_major_formatter, axes[0].yaxis.set_minor_formatter):
        which(lambda value, _: f"{value:g}")
    axes[0].set_ylabel("relative RMSE")
    axes[0].legend()
    return figure


FIGURES: dict[str, Callable[[dict[str, Any]], Figure]] = {
    "error-against-base": error_against_base,
    "score-and-energy-against-steps": score_and_energy,
    "energy-against-length": energy_against_length,
    "decoded-against-real": decoded_against_real,
    "survivors-per-row": survivors_per_row,
    "energy-against-density": density_crossover,
}


def draw(figure: Figure, path: Path) -> None:
    """Write a figure as .png and forget it."""
    figure.tight_layout()
    figure.savefig(path, dpi=110, metadata={"Software": None})
    plt.close(figure)
