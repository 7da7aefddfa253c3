"""The look of every picture: one set of colours, labels at what they name, one way to write the file.

The colours are those of Okabe and Ito, which people who cannot tell red from green can tell apart; no
picture says by colour alone what it does not also say by a label, a mark or the kind of line.
"""

from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any

import matplotlib
from cycler import cycler
from matplotlib.axes import Axes
from matplotlib.figure import Figure

INK, FAINT, RULE, SHADE = "#23303d", "#6b7680", "#d5dbe1", "#f1f4f7"
BLUE, VERMILION, GREEN, PURPLE, ORANGE, SKY = "#0072b2", "#d55e00", "#009e73", "#aa4499", "#e69f00", "#56b4e9"
CYCLE = (BLUE, VERMILION, GREEN, PURPLE, ORANGE, SKY)
FONT = 9
DPI = 130

_STYLE: Any = {
    "font.family": "DejaVu Sans",
    "font.size": FONT,
    "axes.titlesize": 9.5,
    "axes.titlelocation": "left",
    "axes.titleweight": "bold",
    "axes.edgecolor": INK,
    "axes.labelcolor": INK,
    "axes.linewidth": 0.7,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.axisbelow": True,
    "axes.prop_cycle": cycler(color=CYCLE),
    "grid.color": RULE,
    "grid.linewidth": 0.6,
    "text.color": INK,
    "xtick.color": INK,
    "ytick.color": INK,
    "xtick.major.size": 2.5,
    "ytick.major.size": 2.5,
    "lines.linewidth": 1.5,
    "lines.markersize": 4.5,
    "legend.frameon": False,
    "svg.hashsalt": "onespike",
}
# What of a file's metadata depends on the day or the version, by suffix
_CHANGES = {".png": "Software", ".svg": "Date", ".pdf": "CreationDate"}
# Inches from the top edge: title, remark below it, and what both leave to the panels
_LEFT, _TITLE, _REMARK, _HEAD = 0.12, 0.12, 0.37, 0.62


def styled() -> Any:
    """Decorator of a function that draws, and context of a block that does: the look holds within."""
    return matplotlib.rc_context(_STYLE)


def new_figure(width: float, height: float, title: str, remark: str) -> Figure:
    """An empty figure in inches, with what it shows in bold and what was measured in a line below."""
    figure = Figure(figsize=(width, height), dpi=DPI, facecolor="white", layout="constrained")
    engine: Any = figure.get_layout_engine()
    engine.set(rect=(0, 0, 1, 1 - _HEAD / height), w_pad=0.08, h_pad=0.06)
    left = _LEFT / width
    figure.text(left, 1 - _TITLE / height, title, size=12, weight="bold", va="top")
    figure.text(left, 1 - _REMARK / height, remark, size=FONT, va="top")
    return figure


def label_right(axes: Axes, labels: Sequence[tuple[float, str, str]]) -> None:
    """Texts at the right edge, each at its height and moved from it only as far as it would touch another.

    Args:
        axes: with its final limits.
        labels: height as data, text, colour.
    """
    figure = axes.get_figure(root=True)
    assert figure is not None
    figure.draw_without_rendering()
    to_share = axes.transData + axes.transAxes.inverted()
    # Of a line of text, as a share of the axes
    line = 1.35 * FONT * figure.dpi / 72 / axes.get_window_extent().height
    places = [float(to_share.transform((axes.get_xlim()[1], y))[1]) for y, _, _ in labels]
    halves = [line * (text.count("\n") + 1) / 2 for _, text, _ in labels]
    order = sorted(range(len(labels)), key=places.__getitem__)
    # Neighbours that touch part by the same way, below the top edge; a few rounds settle chains of them
    for _ in range(200):
        places = [min(place, 1 + line / 2 - half) for place, half in zip(places, halves, strict=True)]
        for low, high in pairwise(order):
            overlap = halves[low] + halves[high] - (places[high] - places[low])
            if overlap > 0:
                places[low] -= 0.51 * overlap
                places[high] += 0.51 * overlap
    for place, (_, text, colour) in zip(places, labels, strict=True):
        axes.text(1.02, place, text, color=colour, transform=axes.transAxes, va="center")


def base_text(log2_base: object, *, name: bool = True) -> str:
    """The base B as pictures write it, with `B =` before it or without."""
    return rf"$B = 2^{{{log2_base}}}$" if name else rf"$2^{{{log2_base}}}$"


def write_figure(figure: Figure, path: Path) -> None:
    """Write a figure; the suffix is the format. The same figure gives the same bytes."""
    with styled():
        figure.savefig(path, metadata={_CHANGES[path.suffix]: None})
