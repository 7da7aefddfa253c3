"""A waveform as a picture: a line for a bit, boxes for a bus and for what reads in words."""

from collections.abc import Iterator, Sequence
from itertools import groupby

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from studies.plot_style import BLUE, FAINT, INK, RULE, SHADE, new_figure, styled
from studies.waves.trace import UNKNOWN, Signal

# Inches of a row and of a cycle; the height of a signal in its row; how far the sides of a box lean
_ROW, _CYCLE, _HEIGHT, _LEAN = 0.3, 0.46, 0.6, 0.1
# Words that stand for nothing, drawn faintly
QUIET = ("silent", UNKNOWN)
# Characters that fit a cycle
_FIT = 6


@styled()
def waveform(signals: Sequence[Signal], begin: int, title: str, remark: str) -> Figure:
    """Signals over cycles, one a row, from the top.

    Args:
        signals: of as many cycles each.
        begin: number of the first cycle.
    """
    cycles = len(signals[0].values)
    figure = new_figure(2.6 + _CYCLE * cycles, 1.2 + _ROW * len(signals), title, remark)
    axes = figure.add_subplot()
    for row, signal in enumerate(signals):
        level = signal.width == 1 and {"0", "1", UNKNOWN}.issuperset(signal.values)
        (_line if level else _boxes)(axes, signal, len(signals) - 1 - row)
    axes.set_yticks(
        [len(signals) - 1 - row + _HEIGHT / 2 for row in range(len(signals))],
        [signal.name for signal in signals],
    )
    axes.set_xlim(0, cycles)
    axes.set_ylim(-0.2, len(signals))
    axes.set_xticks(range(0, cycles + 1, 4), [str(begin + cycle) for cycle in range(0, cycles + 1, 4)])
    axes.set_xlabel("cycle")
    axes.grid(axis="x", color=RULE)
    axes.tick_params(axis="y", length=0)
    axes.spines["left"].set_visible(False)
    return figure


def _stretches(signal: Signal) -> Iterator[tuple[int, int, str]]:
    """First cycle, cycle behind the last, and what is read in between."""
    begin = 0
    for word, same in groupby(signal.values):
        end = begin + len(list(same))
        yield begin, end, word
        begin = end


def _line(axes: Axes, signal: Signal, base: int) -> None:
    heights = {"0": base, "1": base + _HEIGHT}
    x: list[float] = []
    y: list[float] = []
    for begin, end, word in _stretches(signal):
        x += [begin, end]
        y += [heights.get(word, base + _HEIGHT / 2)] * 2
    axes.plot(x, y, color=INK, linewidth=1)


def _boxes(axes: Axes, signal: Signal, base: int) -> None:
    middle = base + _HEIGHT / 2
    for begin, end, word in _stretches(signal):
        quiet = word in QUIET
        edge, face, ink = (FAINT, "white", FAINT) if quiet else (BLUE, SHADE, INK)
        corners = [
            (begin, middle), (begin + _LEAN, base + _HEIGHT), (end - _LEAN, base + _HEIGHT),
            (end, middle), (end - _LEAN, base), (begin + _LEAN, base),
        ]  # fmt: skip
        axes.fill(*zip(*corners, strict=True), facecolor=face, edgecolor=edge, linewidth=0.8)
        if len(word) <= _FIT * (end - begin):
            axes.text((begin + end) / 2, middle, word, ha="center", va="center", size=6.5, color=ink)
