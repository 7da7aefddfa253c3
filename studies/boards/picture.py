"""Picture of a build: what its units cost, and where on the die they are."""

from collections import Counter
from collections.abc import Mapping
from itertools import cycle
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.colors import ListedColormap
from matplotlib.figure import Figure

from studies.plot_style import CYCLE, FAINT, INK, RULE, new_figure, styled, write_figure
from synth.units import Die

# More than the six that stand apart; numbers tell units with one colour from each other
COLOURS = (*CYCLE, FAINT, INK, "#cc9966")


def build_figure(figures: Mapping[str, Any], die: Die) -> Figure:
    """LUT4-equivalents of each unit, and the die with every tile in the colour of most of its cells.

    Args:
        figures: as `studies.boards.figures.figures` makes them.
        die: see `synth.units.die`.
    """
    units = figures["units"]
    numbers = {unit: number for number, unit in enumerate(units, 1)}
    colours = dict(zip(units, cycle(COLOURS), strict=False))
    with styled():
        remark = "{lut4:,} LUT4-equivalents, {fmax_mhz:.0f} MHz reached, {clock_mhz:g} asked for".format(
            **figures
        )
        figure = new_figure(9, 4.6, "{design} on {board}".format(**figures), remark)
        bars, tiles = figure.subplots(1, 2, width_ratios=(1, 1.4))
        labels = [f"{unit}  {number}" for unit, number in numbers.items()]
        costs = [unit["lut4"] for unit in units.values()]
        bars.barh(labels, costs, color=list(colours.values()))
        for place, cost in enumerate(costs):
            bars.annotate(f"{cost:,}", (cost, place), (3, 0), textcoords="offset points", va="center")
        bars.set(title="LUT4-equivalents", xlim=(0, 1.25 * max(costs, default=1)), xticks=[])
        bars.invert_yaxis()
        map_ = unit_map(die, numbers)
        shades = ListedColormap(["white", *colours.values()])
        tiles.imshow(map_, cmap=shades, vmin=0, vmax=len(units), interpolation="nearest", aspect="auto")
        tiles.set(title="die", xticks=[], yticks=[])
        tiles.spines[:].set(visible=True, color=RULE)
        for unit, places in die.items():
            if unit in numbers:
                x, y = np.median(places, axis=0)
                box = {"boxstyle": "circle,pad=0.15", "fc": "white", "ec": colours[unit], "alpha": 0.9}
                tiles.text(x, y, str(numbers[unit]), ha="center", va="center", fontsize=7, bbox=box)
    return figure


def unit_map(die: Die, numbers: Mapping[str, int]) -> np.ndarray:
    """Number of the unit that has most cells in each tile, 0 where there are none; uint8 [rows, columns]."""
    tiles: dict[tuple[int, int], Counter[int]] = {}
    for unit, places in die.items():
        if unit in numbers:
            for x, y in places:
                tiles.setdefault((y, x), Counter())[numbers[unit]] += 1
    rows, columns = (max((tile[axis] for tile in tiles), default=0) + 1 for axis in (0, 1))
    found = np.zeros((rows, columns), np.uint8)
    for tile, counts in tiles.items():
        found[tile] = counts.most_common(1)[0][0]
    return found


def draw(figures: Mapping[str, Any], die: Die, path: Path) -> None:
    """Draw and write."""
    write_figure(build_figure(figures, die), path)
