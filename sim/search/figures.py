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
    """Loss of score (left scale) and energy ratio (right scale) over T at the best base of each."""
    figure, axis = plt.subplots(figsize=SIZE)
    steps = [p["steps"] for p in data["points"]]
    loss = [p["loss"]["value"] for p in data["points"]]
    spread = [
        [p["loss"]["value"] - p["loss"]["low"] for p in data["points"]],
        [p["loss"]["high"] - p["loss"]["value"] for p in data["points"]],
    ]
    axis.errorbar(steps, loss, yerr=spread, marker="o", capsize=3, label="loss of score, 95 %")
    axis.axhline(0, color="grey", linewidth=0.8)
    axis.set(xlabel="steps T", ylabel=f"loss, {data['metric']}")
    other = axis.twinx()
    ratios = [p["energy"]["spiking"] / p["energy"]["float"] for p in data["points"]]
    other.plot(steps, ratios, color="tab:red", marker="s", label="energy, spiking / float (paper)")
    other.set(ylabel="energy ratio", ylim=(0, None))
    figure.legend(loc="lower right", bbox_to_anchor=(0.88, 0.15))
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
    for key in ("mac", "spiking"):
        axes[1].plot(tokens, [p[key] for p in data["hardware"]], marker=".", label=key)
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
    """Histogram of the share of keys that fire in a row, one line per window."""
    figure, axis = plt.subplots(figsize=SIZE)
    for line in data["lines"]:
        axis.step(range(len(line["rows"])), line["rows"], where="mid", label=f"Ts = {line['window']}")
    axis.set(xlabel="keys that fire in a row", ylabel="rows")
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
        xlabel="density of spikes in q, k, v", ylabel="µJ (dashed: 8-bit multiply-accumulate)", ylim=(0, None)
    )
    axis.grid(alpha=0.3)
    axis.legend()
    return figure


def pareto(data: dict[str, Any]) -> Figure:
    """Error over energy of every point of a sweep, colour for cycles; the front is joined."""
    figure, axis = plt.subplots(figsize=SIZE)
    points = data["points"]
    drawn = axis.scatter(
        [p["energy"] for p in points], [p["error"] for p in points], c=[p["cycles"] for p in points], s=18
    )
    front = sorted((p for p in points if p["front"]), key=lambda p: p["energy"])
    axis.plot([p["energy"] for p in front], [p["error"] for p in front], color="tab:red", linewidth=0.8)
    axis.set(xlabel="energy, µJ", ylabel="relative RMSE", xscale="log", yscale="log")
    figure.colorbar(drawn, label="cycles")
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
