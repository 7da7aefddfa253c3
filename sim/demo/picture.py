"""Picture of one attention head: what fires when, and the attention that comes of it."""

from pathlib import Path
from typing import Any

import matplotlib
import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import BoundaryNorm
from matplotlib.figure import Figure
from matplotlib.gridspec import GridSpec
from numpy.typing import NDArray

from golden.code import Spikes
from golden.exact import softmax_attention
from sim.demo.lockstep import LayerRun
from sim.demo.result import DemoResult

POSITIVE, NEGATIVE, INK, FAINT = "#1f6fb4", "#d1495b", "#23303d", "#d5dbe1"
STYLE: Any = {
    "font.family": "DejaVu Sans",
    "font.size": 9,
    "axes.titlesize": 10.5,
    "axes.titlelocation": "left",
    "axes.titleweight": "bold",
    "axes.edgecolor": INK,
    "axes.labelcolor": INK,
    "axes.linewidth": 0.7,
    "text.color": INK,
    "xtick.color": INK,
    "ytick.color": INK,
    "xtick.major.size": 2.5,
    "ytick.major.size": 2.5,
    "svg.hashsalt": "onespike",
}
DPI = 150


def most_selective_head(result: DemoResult) -> tuple[LayerRun, int]:
    """The head, of those that ran, whose exact attention differs most from even attention."""
    contrast = [softmax_attention(run.q, run.k, run.k)[1].std(axis=(1, 2)) for run in result.runs]
    layer = int(np.argmax([values.max() for values in contrast]))
    return result.runs[layer], int(contrast[layer].argmax())


def draw_head(result: DemoResult, path: Path) -> None:
    """Write the picture of `most_selective_head`; the suffix of `path` is the format.

    It shows spike rasters of q, k and v (phase against neuron, sign by colour), the image, the
    attention phases, and the spiking attention map beside the exact softmax.
    """
    run, index = most_selective_head(result)
    image, head = divmod(index, result.network.config.heads)
    sample = int(result.chosen[image])
    code = result.config.code
    tokens = run.job.tokens
    silent_last = np.append(code.base ** -np.arange(code.steps, dtype=np.float64), 0.0)
    weight = silent_last[run.spikes.attn_phase[index]]  # phase -1 is the last entry
    spiking = weight / weight.sum(axis=-1, keepdims=True)
    exact = softmax_attention(run.q[index], run.k[index], run.k[index])[1]

    with matplotlib.rc_context(STYLE):
        figure = Figure(figsize=(13.5, 11), dpi=DPI, facecolor="white")
        outer = GridSpec(2, 1, figure=figure, height_ratios=(1.55, 1), hspace=0.2)
        outer.update(left=0.055, right=0.965, top=0.9, bottom=0.06)
        figure.text(
            0.055,
            0.965,
            f"One head of spiked attention: layer {run.layer}, head {head}",
            size=16,
            weight="bold",
        )
        figure.text(
            0.055,
            0.94,
            f"Each neuron fires at most once in T = {code.steps} steps; a spike of phase p stands for "
            f"±scale·B^-p, B = 2^({code.log2_base}). Spikes as the engine under test computed them.",
            size=10,
        )
        rasters = outer[0].subgridspec(3, 2, width_ratios=(14, 1), wspace=0.02, hspace=0.42)
        for row, (name, spikes) in enumerate((("q", run.job.q), ("k", run.job.k), ("v", run.job.v))):
            axes = figure.add_subplot(rasters[row, 0])
            counts = figure.add_subplot(rasters[row, 1], sharey=axes)
            _raster(axes, counts, name, spikes[index], code.steps)
            if row == 2:
                axes.set_xlabel("neuron: feature within token (labels: token)")
                counts.set_xlabel("spikes")
        maps = outer[1].subgridspec(1, 7, width_ratios=(0.92, 1, 0.035, 1, 1, 0.035, 0.0001), wspace=0.3)
        _digit(figure.add_subplot(maps[0]), result, sample, image)
        _phases(figure, figure.add_subplot(maps[1]), figure.add_subplot(maps[2]), run, index, code.steps)
        top = max(spiking.max(), exact.max())
        spiking_axes, exact_axes = figure.add_subplot(maps[3]), figure.add_subplot(maps[4])
        for axes, title, values in (
            (spiking_axes, "Spiking attention", spiking),
            (exact_axes, "Exact softmax", exact),
        ):
            shown = axes.imshow(values, cmap="magma_r", vmin=0, vmax=top)
            _token_axes(axes, title, tokens)
        figure.colorbar(shown, cax=figure.add_subplot(maps[5]), label="attention weight")
        difference = np.abs(spiking - exact).max()
        exact_axes.text(
            1,
            -0.2,
            f"largest difference {difference:.3f}",
            transform=exact_axes.transAxes,
            ha="right",
            size=8.5,
        )
        figure.savefig(path, metadata={"Software": None} if path.suffix == ".png" else None)


def _raster(axes: Axes, counts: Axes, name: str, spikes: Spikes, steps: int) -> None:
    """Spikes [tokens, head_dim]: phase against neuron, and spikes per phase beside it."""
    tokens, head_dim = spikes.shape
    sign, phase = spikes.sign.ravel(), spikes.phase.ravel()
    neuron = np.arange(sign.size)
    for token in range(0, tokens, 2):
        axes.axvspan(token * head_dim - 0.5, (token + 1) * head_dim - 0.5, color="#f1f4f7", lw=0)
    bottom = np.zeros(steps)
    for value, colour, label in ((1, POSITIVE, "positive"), (-1, NEGATIVE, "negative")):
        fires = sign == value
        axes.scatter(neuron[fires], phase[fires], s=9, marker="s", color=colour, lw=0, label=label)
        count = np.bincount(phase[fires], minlength=steps)[:steps]
        counts.barh(np.arange(steps), count, left=bottom, color=colour, height=0.8)
        bottom += count
    silent = int((sign == 0).sum())
    axes.set_title(f"{name}   {sign.size - silent} of {sign.size} neurons fire, {silent} silent")
    axes.set_xlim(-0.5, sign.size - 0.5)
    axes.set_ylim(steps - 0.4, -0.6)
    axes.set_xticks(np.arange(tokens) * head_dim + (head_dim - 1) / 2, [str(t) for t in range(tokens)])
    axes.tick_params(axis="x", length=0)
    axes.set_yticks(range(0, steps, max(1, steps // 4)))
    axes.set_ylabel("phase")
    axes.legend(loc="lower right", bbox_to_anchor=(1.005, 0.97), ncols=2, frameon=False, handletextpad=0.1)
    counts.tick_params(axis="y", labelleft=False, length=0)
    for side in ("top", "right"):
        axes.spines[side].set_visible(False)
        counts.spines[side].set_visible(False)


def _digit(axes: Axes, result: DemoResult, sample: int, image: int) -> None:
    """The image with its patches, numbered as tokens."""
    config = result.network.config
    axes.imshow(result.digits.test_images[sample], cmap="gray_r", vmin=0, vmax=1.25)
    across = config.side // config.patch
    for edge in range(across + 1):
        axes.axhline(edge * config.patch - 0.5, color=FAINT, lw=1)
        axes.axvline(edge * config.patch - 0.5, color=FAINT, lw=1)
    for token in range(config.tokens):
        y, x = divmod(token, across)
        axes.text(
            x * config.patch - 0.4, y * config.patch - 0.38, str(token), color=POSITIVE, size=7.5, va="top"
        )
    axes.set_title(f"Held-out image {sample}")
    axes.set_xlabel(f"label {result.digits.test_labels[sample]}, predicted {result.engine_predicted[image]}")
    axes.set_xticks([])
    axes.set_yticks([])


def _phases(figure: Figure, axes: Axes, bar: Axes, run: LayerRun, index: int, steps: int) -> None:
    """Attention phases: step of the ramp in which each key fires, empty where it stays silent."""
    phases: NDArray[np.int8] = run.spikes.attn_phase[index]
    colours = matplotlib.colormaps["viridis_r"].resampled(steps)
    shown = axes.imshow(
        np.ma.masked_less(phases, 0), cmap=colours, norm=BoundaryNorm(np.arange(steps + 1) - 0.5, steps)
    )
    for (row, key), phase in np.ndenumerate(phases):
        if phase >= 0:
            ink = "white" if phase > steps / 2 else INK
            axes.text(key, row, str(phase), ha="center", va="center", size=5.5, color=ink)
    _token_axes(axes, "Attention phases", len(phases))
    figure.colorbar(shown, cax=bar, ticks=range(0, steps, max(1, steps // 4)))
    silent = int((phases < 0).sum())
    axes.text(
        1, -0.2, f"{silent} of {phases.size} keys silent", transform=axes.transAxes, ha="right", size=8.5
    )


def _token_axes(axes: Axes, title: str, tokens: int) -> None:
    axes.set_title(title)
    axes.set_xlabel("key token")
    axes.set_ylabel("query token", labelpad=2)
    ticks = range(0, tokens, max(1, tokens // 4))
    axes.set_xticks(ticks)
    axes.set_yticks(ticks)


def _note(axes: Axes, text: str) -> None:
    """A remark below the right end of a map."""
    axes.text(1, -0.2, text, transform=axes.transAxes, ha="right", size=8.5)
