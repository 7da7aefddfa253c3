"""Picture of one attention head: what fires when, and the attention that comes of it."""

from pathlib import Path

import matplotlib
import numpy as np
from matplotlib.axes import Axes
from matplotlib.colorbar import Colorbar
from matplotlib.colors import BoundaryNorm
from matplotlib.figure import Figure
from matplotlib.gridspec import GridSpec
from matplotlib.image import AxesImage
from matplotlib.patheffects import withStroke
from numpy.typing import NDArray

from golden.attention.exact import softmax_attention
from golden.code import PhaseCode, Spikes
from studies.demo.lockstep import LayerRun
from studies.demo.result import DemoResult
from studies.plot_style import BLUE, INK, RULE, SHADE, VERMILION, styled, write_figure

POSITIVE, NEGATIVE = BLUE, VERMILION
DPI = 150

# The lower part: left edges of the square panels, their size and bottom, in inches
PANELS = {"digit": 0.75, "phases": 4.05, "spiking": 7.85, "exact": 10.95}
PANEL, BOTTOM = 2.65, 0.85
SIZE = (14.6, 10.4)


def most_varied_head(result: DemoResult) -> tuple[LayerRun, int]:
    """The head, of those that ran, whose exact attention depends most on the query."""
    variation = [_exact_map(run).std(axis=1).mean(axis=1) for run in result.runs]
    layer = int(np.argmax([values.max() for values in variation]))
    return result.runs[layer], int(variation[layer].argmax())


def draw_head(result: DemoResult, path: Path) -> None:
    """Write the picture of `most_varied_head`; the suffix of `path` is the format.

    It shows spike rasters of q, k and v (phase against neuron, sign by colour), the image, the
    attention phases, and the spiking attention map beside the exact softmax.
    """
    run, index = most_varied_head(result)
    image, head = divmod(index, result.network.blocks[0].heads)
    code = result.config.code
    values = np.append(code.base ** -np.arange(code.steps, dtype=np.float64), 0.0)
    weight = values[run.spikes.attn_phase[index]]  # the last one stands for silence, phase -1
    spiking = weight / weight.sum(axis=-1, keepdims=True)
    exact = _exact_map(run)[index]

    with styled():
        figure = Figure(figsize=SIZE, dpi=DPI, facecolor="white")
        _heading(
            figure, f"One head of spiked attention: digits transformer, layer {run.layer}, head {head}", code
        )
        grid = GridSpec(3, 2, figure=figure, width_ratios=(14, 1), wspace=0.02, hspace=0.4)
        grid.update(left=PANELS["digit"] / SIZE[0], right=0.972, top=0.87, bottom=0.435)
        for row, (name, spikes) in enumerate((("q", run.job.q), ("k", run.job.k), ("v", run.job.v))):
            axes = figure.add_subplot(grid[row, 0])
            _raster(axes, figure.add_subplot(grid[row, 1], sharey=axes), name, spikes[index], code.steps)
            if row == 0:
                axes.legend(
                    loc="lower right", bbox_to_anchor=(1.006, 0.95), ncols=2, frameon=False, markerscale=1.6
                )
        axes.set_xlabel("neuron: the features of token 0, of token 1, ...")

        _digit(_panel(figure, "digit"), result, image)
        _phases(figure, _panel(figure, "phases"), run.spikes.attn_phase[index], code.steps)
        top = max(spiking.max(), exact.max())
        for name, title, shown in (
            ("spiking", "Spiking attention", spiking),
            ("exact", "Exact softmax", exact),
        ):
            axes = _panel(figure, name)
            drawn = axes.imshow(shown, cmap="Blues", vmin=0, vmax=top)
            _token_axes(axes, title, len(shown))
        _note(axes, f"largest difference {np.abs(spiking - exact).max():.3f}")
        _colour_bar(figure, axes, drawn).set_label("attention weight")
        write_figure(figure, path)


def _exact_map(run: LayerRun) -> NDArray[np.float64]:
    """Softmax attention of the heads' float inputs, [heads, tokens, tokens]."""
    return softmax_attention(run.q, run.k, run.k)[1]


def _heading(figure: Figure, title: str, code: PhaseCode) -> None:
    """Title, and the code in a sentence."""
    left = PANELS["digit"] / SIZE[0]
    figure.text(left, 0.955, title, size=17, weight="bold")
    exponent = rf"{code.log2_base.numerator}/{code.log2_base.denominator}"
    figure.text(
        left,
        0.925,
        f"Every neuron fires at most once in T = {code.steps} time steps. A spike of phase p stands for "
        rf"$\pm$ scale $\cdot\,B^{{-p}}$ with $B = 2^{{{exponent}}}$: the earlier, the larger.",
        size=10.5,
    )


def _panel(figure: Figure, name: str) -> Axes:
    """Square axes in the lower part of the picture."""
    return figure.add_axes((PANELS[name] / SIZE[0], BOTTOM / SIZE[1], PANEL / SIZE[0], PANEL / SIZE[1]))


def _colour_bar(figure: Figure, axes: Axes, drawn: AxesImage) -> Colorbar:
    """A colour bar as high as `axes`, at its right."""
    bar = axes.inset_axes((1.04, 0, 0.045, 1))
    return figure.colorbar(drawn, cax=bar)


def _raster(axes: Axes, counts: Axes, name: str, spikes: Spikes, steps: int) -> None:
    """Spikes [tokens, head_dim]: phase against neuron, and spikes per phase beside it."""
    tokens, head_dim = spikes.shape
    sign, phase = spikes.sign.ravel(), spikes.phase.ravel()
    neuron = np.arange(sign.size)
    for token in range(0, tokens, 2):
        axes.axvspan(token * head_dim - 0.5, (token + 1) * head_dim - 0.5, color=SHADE, lw=0)
    bottom = np.zeros(steps)
    for value, colour, label in ((1, POSITIVE, "positive"), (-1, NEGATIVE, "negative")):
        fires = sign == value
        axes.scatter(neuron[fires], phase[fires], s=9, marker="s", color=colour, lw=0, label=label)
        count = np.bincount(phase[fires], minlength=steps)[:steps]
        counts.barh(np.arange(steps), count, left=bottom, color=colour, height=0.8)
        bottom += count
    silent = int((sign == 0).sum())
    axes.set_title(f"{name}:  {sign.size - silent} neurons fire, {silent} stay silent")
    axes.set_xlim(-0.5, sign.size - 0.5)
    axes.set_ylim(steps - 0.4, -0.6)
    axes.set_xticks(np.arange(tokens) * head_dim + (head_dim - 1) / 2, [str(t) for t in range(tokens)])
    axes.tick_params(axis="x", length=0)
    axes.set_yticks(range(0, steps, max(1, steps // 4)))
    axes.set_ylabel("phase")
    counts.tick_params(axis="y", labelleft=False, length=0)
    for side in ("top", "right"):
        axes.spines[side].set_visible(False)
        counts.spines[side].set_visible(False)


def _digit(axes: Axes, result: DemoResult, image: int) -> None:
    """The image with its patches, numbered as tokens."""
    network, sample = result.network, int(result.chosen[image])
    axes.imshow(result.digits.test_images[sample], cmap="gray_r", vmin=0, vmax=1.25)
    across = network.side // network.patch
    for edge in range(1, across):
        axes.axhline(edge * network.patch - 0.5, color=RULE, lw=1)
        axes.axvline(edge * network.patch - 0.5, color=RULE, lw=1)
    halo = [withStroke(linewidth=2, foreground="white")]
    for token in range(len(network.positions)):
        y, x = divmod(token, across)
        corner = x * network.patch - 0.4, y * network.patch - 0.36
        axes.text(*corner, str(token), color=INK, size=7.5, va="top", path_effects=halo)
    axes.set_title(f"Held-out image {sample}")
    axes.set_xlabel(f"label {result.digits.test_labels[sample]}, predicted {result.engine_predicted[image]}")
    axes.set_xticks([])
    axes.set_yticks([])


def _phases(figure: Figure, axes: Axes, phases: NDArray[np.int8], steps: int) -> None:
    """Attention phases: step of the ramp in which each key fires, empty where it stays silent."""
    bounds = BoundaryNorm(np.arange(steps + 1) - 0.5, steps)
    colours = matplotlib.colormaps["viridis"].resampled(steps)
    drawn = axes.imshow(np.ma.masked_less(phases, 0), cmap=colours, norm=bounds)
    for (row, key), phase in np.ndenumerate(phases):
        if phase >= 0:
            ink = "white" if phase < 0.6 * steps else INK
            axes.text(key, row, str(phase), ha="center", va="center", size=6, color=ink)
    _token_axes(axes, "Attention phases", len(phases))
    _colour_bar(figure, axes, drawn).set_ticks(list(range(0, steps, max(1, steps // 4))))
    _note(axes, f"{int((phases < 0).sum())} of {phases.size} silent")


def _token_axes(axes: Axes, title: str, tokens: int) -> None:
    axes.set_title(title)
    axes.set_xlabel("key token")
    axes.set_ylabel("query token", labelpad=2)
    ticks = range(0, tokens, max(1, tokens // 4))
    axes.set_xticks(ticks)
    axes.set_yticks(ticks)


def _note(axes: Axes, text: str) -> None:
    """A remark below the right end of a map."""
    axes.text(1, -0.19, text, transform=axes.transAxes, ha="right", size=8.5)
