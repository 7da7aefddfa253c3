"""Picture of a conversion: how far the integers are from the floats, node by node in order of execution."""

from pathlib import Path
from typing import TYPE_CHECKING

from models.conversion.convert import Conversion
from models.verdict import Verdict

if TYPE_CHECKING:
    from matplotlib.figure import Figure

PICTURE = "errors.png"
# Inches of a node, and beside all of them
NODE, BESIDE = 0.17, 2.6


def drawn(conversion: Conversion) -> list[Verdict]:
    """The verdicts that are in the picture: those with an error in place."""
    return [verdict for verdict in conversion.verdicts if verdict.error is not None]


def errors(conversion: Conversion, title: str) -> "Figure":
    """Error in place and of each node's own code, and the share of its neurons that fire."""
    # The plotting library takes a second to load; only who draws waits for it
    from studies.plot_style import BLUE, GREEN, VERMILION, base_text, label_right, new_figure, styled

    shown, code = drawn(conversion), conversion.scheme.code
    places = range(len(shown))
    fires = [place for place in places if shown[place].code is not None]
    kept = [place for place in places if shown[place].code is None]
    found = [verdict.error or 0.0 for verdict in shown]
    with styled():
        remark = f"T = {code.steps}, {base_text(code.log2_base)}; on the samples that set the scales"
        figure = new_figure(max(7.0, BESIDE + NODE * len(shown)), 5.6, title, remark)
        above, below = figure.subplots(2, 1, sharex=True, height_ratios=(3, 1))
        above.plot(places, found, color=BLUE)
        above.plot(fires, [found[place] for place in fires], "o", color=BLUE)
        above.plot(kept, [found[place] for place in kept], "s", mec=BLUE, mfc="white")
        codes = [shown[place].code or 0.0 for place in fires]
        above.plot(fires, codes, "--v", color=VERMILION, linewidth=0.8)
        above.set(ylabel="relative RMSE", ylim=(0, None), xlim=(-0.6, len(shown) - 0.4))
        above.tick_params(bottom=False)
        below.bar(fires, [shown[place].density or 0.0 for place in fires], 0.7, color=GREEN)
        below.set(ylabel="neurons\nthat fire", ylim=(0, 1))
        below.set_xticks(places, [verdict.node for verdict in shown], rotation=90, fontsize=6.5)
        for axes in (above, below):
            axes.grid(axis="y")
        labels = [(found[-1], "in place\n(hollow: the stream,\nand scores)", BLUE)]
        if codes:
            labels.append((codes[-1], "the nearest code\nalone", VERMILION))
        label_right(above, labels)
    return figure


def picture(conversion: Conversion, title: str, path: Path) -> None:
    """Draw and write."""
    from studies.plot_style import write_figure

    write_figure(errors(conversion, title), path)
