"""Picture of the study of random-number plans: the few that differ by name, all of them side by side."""

from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.ticker import LogLocator

from studies.plot_style import BLUE, CYCLE, FAINT, INK, SHADE, label_right, new_figure, styled, write_figure
from studies.stochastic.plans import STEPS

# A plan whose error at the largest T is further than this from the ideal one is drawn by name
APART = 0.05
Results = dict[str, dict[str, Any]]


@styled()
def plot(results: Results, size: int, heads: int, path: Path) -> None:
    """Error against T above; below, a row per plan: bias, what averages keep of the error, row sums, cells.

    Args:
        results: see `studies.stochastic.plans.study`; the first are those of ideal random numbers.
        size, heads: of the study.
    """
    of = "errors are of the output rate, against its exact expectation; ratios, to independent random numbers"
    remark = f"N = d = {size}, {heads} heads; {of}"
    figure = new_figure(12, 9.4, "What sharing random numbers costs", remark)
    parts: Any = figure.subfigures(2, 1, height_ratios=(1, 1.1))
    above, below = parts
    _against_steps(above.subplots(1, 2), results)
    panels = below.subplots(1, 4, sharey=True)
    last = STEPS[-1]
    _rows(panels[0], results)
    for row, result in enumerate(results.values()):
        twice = 2 * result["mean_bias_error"][last]
        panels[0].errorbar(result["mean_bias"][last], row, xerr=twice, fmt="o", color=BLUE, capsize=2)
    panels[0].axvline(0, color=INK, linewidth=0.8)
    panels[0].set(title=f"bias at T = {last}", xlabel="bars: two standard errors")
    for panel, kinds, title, label in (
        (
            panels[1],
            ("token_mean", "feature_mean"),
            "error of means, ratio",
            "● over tokens  ◇ over features",
        ),
        (panels[2], ("row_sum_variance",), "variance of row sums, ratio", "logarithmic"),
        (panels[3], ("lut4", "flip_flops"), "ECP5 cells of the engine", "● LUT4-equivalents  ◇ flip-flops"),
    ):
        _rows(panel, results)
        for row, result in enumerate(results.values()):
            for kind, mark, colour, face in zip(kinds, "oD", CYCLE, (BLUE, "white"), strict=False):
                if kind in result:
                    # One above the other, so that equal values are both seen
                    apart = 0.14 * (2 * kinds.index(kind) - 1) if len(kinds) > 1 else 0
                    panel.plot(result[kind], row + apart, mark, color=colour, mfc=face)
                elif kind == kinds[0]:
                    place: Any = {"xycoords": ("axes fraction", "data"), "va": "center"}
                    panel.annotate("not synthesised", (0.03, row), color=FAINT, **place)
        panel.set(title=title, xlabel=label)
    panels[2].set_xscale("log")
    panels[2].xaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
    panels[2].minorticks_off()
    panels[2].xaxis.set_major_formatter(lambda value, _: f"{value:g}")
    for panel in panels[1:3]:
        panel.axvline(1, color=INK, linewidth=0.8)
    panels[0].locator_params(axis="x", nbins=4)
    panels[3].locator_params(axis="x", nbins=4)
    panels[3].xaxis.set_major_formatter(lambda value, _: f"{value:,g}")
    panels[3].set_xlim(0, None)
    write_figure(figure, path)


def _against_steps(panels: Any, results: Results) -> None:
    """Error, and error over that of ideal random numbers; plans like the ideal ones in one colour."""
    ideal = np.array(list(next(iter(results.values()))["error"].values()))
    errors = {label: np.array(list(result["error"].values())) for label, result in results.items()}
    apart = [label for label, error in errors.items() if abs(error[-1] / ideal[-1] - 1) > APART]
    for panel, scale in zip(panels, (1.0, ideal), strict=True):
        labels = []
        for label, error in errors.items():
            named = label in apart
            colour = CYCLE[1 + apart.index(label) % (len(CYCLE) - 1)] if named else BLUE
            panel.plot(STEPS, error / scale, color=colour, linewidth=1.6 if named else 0.8, zorder=2 + named)
            if named:
                labels.append((float((error / scale)[-1]), label.replace(", ", ",\n", 1), colour))
        same = float((ideal / scale)[-1])
        labels.append((same, f"the other {len(errors) - len(apart)}", BLUE))
        panel.set(xlabel="time steps T", xscale="log")
        panel.set_xticks(STEPS, [str(t) for t in STEPS])
        panel.grid()
        if panel is panels[0]:
            panel.set(title="error (RMS)", yscale="log")
            panel.yaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
            panel.yaxis.set_major_formatter(lambda value, _: f"{value:g}")
        else:
            panel.set(title="error, over that of ideal random numbers")
        panel.minorticks_off()
        label_right(panel, labels)


def _rows(panel: Axes, results: Results) -> None:
    """A shaded row per plan, the first at the top."""
    for row in range(0, len(results), 2):
        panel.axhspan(row - 0.5, row + 0.5, color=SHADE, linewidth=0)
    panel.set_yticks(range(len(results)), [label.replace(", ", ",\n", 1) for label in results])
    panel.set_ylim(len(results) - 0.5, -0.5)
    panel.tick_params(axis="y", length=0)
    panel.grid(axis="x")
