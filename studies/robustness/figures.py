"""Figures of what one model loses: against length, code, bits of weights, and noise."""

from collections.abc import Callable, Iterable
from typing import Any

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from studies.plot_style import CYCLE, INK, label_right, new_figure, styled

BARS = "bars: 95 % of 1000 bootstraps, paired with floats"


def remark(data: dict[str, Any]) -> str:
    """What was measured, below the title."""
    counts = sorted({point["samples"] for task in data["tasks"] for point in task["points"]})
    return f"{data['network']}; {' and '.join(map(str, counts))} inputs or pairs a point; {BARS}"


def losses(axes: Axes, points: list[dict[str, Any]], where: Iterable[float], **look: Any) -> None:
    """Losses with their intervals at some places; what is not defined is left out."""
    kept = [
        (x, point["loss"])
        for x, point in zip(where, points, strict=True)
        if point["loss"]["value"] is not None
    ]
    values = [loss["value"] for _, loss in kept]
    bars = [
        [loss["value"] - loss["low"] for _, loss in kept],
        [loss["high"] - loss["value"] for _, loss in kept],
    ]
    axes.errorbar([x for x, _ in kept], values, bars, marker="o", capsize=3, **look)
    axes.axhline(0, color=INK, linewidth=0.7)
    axes.grid(axis="y")


@styled()
def against_length(data: dict[str, Any]) -> Figure:
    """Loss, cosine and energy of each task over the tokens of an input."""
    first = data["tasks"][0]["points"]
    title = f"Loss and energy against input length, T = {first[0]['steps']}"
    figure = new_figure(11.0, 4.2, title, remark(data))
    axes = figure.subplots(1, 3)
    lengths = [point["tokens"] for point in first]
    ends = []
    for number, (task, colour) in enumerate(zip(data["tasks"], CYCLE, strict=False)):
        points, shift = task["points"], 1 + 0.06 * number
        losses(
            axes[0],
            points,
            [n * shift for n in lengths],
            color=colour,
            label=f"{task['task']}: {task['metric']}",
        )
        cosines = [point["cosine"]["mean"] for point in points]
        axes[1].plot(lengths, cosines, "o-", color=colour)
        ends.append((cosines[-1], task["task"], colour))
        energy = [point["energy"] for point in points]
        axes[2].plot(lengths, [e["spiking"] / 1000 for e in energy], "o-", color=colour)
        axes[2].plot(lengths, [e["dense"] / 1000 for e in energy], "s--", color=colour, fillstyle="none")
    axes[0].legend(loc="best")
    axes[0].set(title="loss against floats")
    axes[1].set(title="mean cosine with float outputs")
    axes[2].set(title="mJ per input", ylim=(0, None))
    axes[2].annotate(
        "full: spiking\nhollow: 8-bit multiply-accumulate", (0.03, 0.9), xycoords="axes fraction", va="top"
    )
    for axis in axes:
        axis.set(xscale="log", xlabel="tokens")
        axis.set_xticks(lengths, labels=[str(n) for n in lengths])
        axis.minorticks_off()
        axis.grid(axis="y")
    label_right(axes[1], ends)
    return figure


@styled()
def against_codes(data: dict[str, Any]) -> Figure:
    """Loss of each task over the base, a line for each T."""
    figure = new_figure(max(8.0, 5.0 * len(data["tasks"])), 4.2, "Loss against base and T", remark(data))
    panels = figure.subplots(1, len(data["tasks"]), squeeze=False)[0]
    for axis, task in zip(panels, data["tasks"], strict=True):
        counts = sorted({point["steps"] for point in task["points"]})
        for number, (steps, colour) in enumerate(zip(counts, CYCLE, strict=False)):
            points = [point for point in task["points"] if point["steps"] == steps]
            bases = [2 ** fraction(point["log2_base"]) + 0.006 * number for point in points]
            losses(axis, points, bases, color=colour, label=f"T = {steps}")
        axis.legend(loc="best")
        axis.set(title=f"{task['task']}: {task['metric']}", xlabel="base B", ylabel="loss against floats")
    return figure


def fraction(text: str) -> float:
    """The value of a/b."""
    over, _, under = text.partition("/")
    return int(over) / int(under or 1)


@styled()
def against_bits(data: dict[str, Any]) -> Figure:
    """Loss of each task over the bits of a weight."""
    first = data["tasks"][0]["points"][0]
    title = f"Loss against bits of a weight, T = {first['steps']}"
    figure = new_figure(6.4, 4.2, title, remark(data))
    axes = figure.subplots()
    for number, (task, colour) in enumerate(zip(data["tasks"], CYCLE, strict=False)):
        bits = [point["weight_bits"] + 0.06 * number for point in task["points"]]
        losses(axes, task["points"], bits, color=colour, label=f"{task['task']}: {task['metric']}")
    axes.legend(loc="best")
    axes.set(xlabel="bits of a weight", ylabel="loss against floats")
    measured = {point["weight_bits"] for task in data["tasks"] for point in task["points"]}
    refused = sorted({int(count) for task in data["tasks"] for count in task["refused"]})
    for count in refused:
        axes.annotate("refused", (count, 0.5), xycoords=("data", "axes fraction"), rotation=90, ha="center")
    ticks = sorted({*measured, *refused})
    axes.set(xticks=ticks, xlim=(ticks[0] - 0.5, ticks[-1] + 0.5))
    return figure


@styled()
def against_noise(data: dict[str, Any]) -> Figure:
    """Accuracy of a float network and of both spiking ones over the noise of the images."""
    points = data["points"]
    images = f"{data['network']}; the same {points[0]['samples']} images at every point"
    about = f"{images}; bars hold 95 % of 1000 bootstrap repetitions"
    figure = new_figure(7.2, 4.4, "Accuracy against noise on the pixels", about)
    axes, ends = figure.subplots(), []
    names = {
        "float": "float", "score": f"SpikedAttention, T = {points[0]['steps']}",
        "stochastic": f"SSA, T = {data['stochastic_steps']}",
    }  # fmt: skip
    for number, ((key, name), colour) in enumerate(zip(names.items(), (INK, *CYCLE), strict=False)):
        found = [point[key] for point in points]
        values = [each["value"] for each in found]
        bars = [[e["value"] - e["low"] for e in found], [e["high"] - e["value"] for e in found]]
        where = [point["deviation"] + 0.5 * number for point in points]
        axes.errorbar(where, values, bars, marker="o", capsize=3, color=colour)
        ends.append((values[-1], name, colour))
    axes.set(xlabel="standard deviation of the noise, of 255 levels", ylabel=data["metric"])
    axes.grid(axis="y")
    label_right(axes, ends)
    return figure


FIGURES: dict[str, Callable[[dict[str, Any]], Figure]] = {
    "loss-and-energy-against-length": against_length,
    "loss-against-base-and-steps": against_codes,
    "loss-against-weight-bits": against_bits,
    "accuracy-against-noise": against_noise,
}
