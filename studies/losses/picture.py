"""Picture of losses against the steps of a code."""

from typing import Any

from matplotlib.figure import Figure

from studies.plot_style import BLUE, FAINT, INK, base_text, new_figure, styled


@styled()
def picture(report: dict[str, Any]) -> Figure:
    """Loss of every code over T, and of every T the mean over its bases with its interval."""
    metric, samples = report["metric"], report["samples"]
    remark = f"{samples} samples, {metric}; bars hold 95 % of 1000 bootstrap repetitions, paired with floats"
    figure = new_figure(7.2, 4.4, f"What a code of T steps loses: {report['layout']}", remark)
    axes = figure.subplots()
    for code in report["codes"]:
        loss = report["modes"][code["mode"]]["loss"]["value"]
        if loss is None:
            continue
        axes.plot(code["steps"], loss, "o", mec=FAINT, mfc="white", zorder=3)
        label = base_text(code["log2_base"], name=False)
        axes.annotate(label, (code["steps"], loss), (7, -3), textcoords="offset points", size=8, color=FAINT)
    means = [(int(steps), mean) for steps, mean in report["steps"].items() if mean["value"] is not None]
    if means:
        values = [mean["value"] for _, mean in means]
        bars = [[m["value"] - m["low"] for _, m in means], [m["high"] - m["value"] for _, m in means]]
        axes.errorbar([s for s, _ in means], values, bars, color=BLUE, marker="s", capsize=3, label="mean")
        axes.legend(loc="upper right")
    axes.axhline(0, color=INK, linewidth=0.7)
    steps = sorted({code["steps"] for code in report["codes"]})
    axes.set(xlabel="T, steps of the code", ylabel="loss against floats", xticks=steps)
    axes.margins(x=0.15)
    axes.grid(axis="y")
    return figure
