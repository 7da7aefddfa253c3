"""Timeline of one inference: what each unit does in each range of cycles, as text and as a picture."""

from pathlib import Path

from sim.timing.image_times import Segment
from sim.timing.network import TOKENS_IN, NetworkTimes

UNITS = ("image", "memory", "linear", "norm", "attention")
# Share of the picture that a bar needs for its label
LABEL = 1 / 60
# And for an edge beside which something is left of it
EDGE = 1 / 400


def segments_of(times: NetworkTimes, image: int) -> list[Segment]:
    """Segments of one image, from the one before to it finishing."""
    count = len(times.timeline) // len(times.finished)
    return times.timeline[image * count : (image + 1) * count]


def entering(segments: list[Segment]) -> tuple[str, str]:
    """What the unit of the image is to be called, and what of it enters first."""
    tokens = any(segment.what == TOKENS_IN for segment in segments)
    return ("tokens", "token") if tokens else (UNITS[0], "pixel")


def text(times: NetworkTimes, image: int = 0) -> str:
    """One line per stretch of work, in order of its first cycle; cycles count from the first that enters."""
    origin = times.begun[image]
    segments = segments_of(times, image)
    enter, _ = entering(segments)
    lines = [f"{'first':>7} {'last':>7} {'cycles':>7}  unit       what"]
    for segment in sorted(segments, key=lambda s: s.first):
        first, last = segment.first - origin, segment.last - origin
        unit = enter if segment.unit == UNITS[0] else segment.unit
        lines.append(f"{first:7d} {last:7d} {last - first + 1:7d}  {unit:10s} {segment.what}")
    lines.append(f"scores complete in cycle {times.finished[image] - origin}")
    return "\n".join(lines)


def picture(times: NetworkTimes, path: Path, title: str, remark: str, image: int = 0) -> None:
    """One bar per unit and stretch of work, with what it was where there is room.

    Args:
        title, remark: what was computed, and by which core.
    """
    # The plotting library takes a second to load; only who draws waits for it
    from studies.plot_style import BLUE, FAINT, GREEN, ORANGE, VERMILION, new_figure, styled, write_figure

    colours = dict(zip(UNITS, (FAINT, ORANGE, BLUE, VERMILION, GREEN), strict=True))
    segments = segments_of(times, image)
    units = [unit for unit in UNITS if any(segment.unit == unit for segment in segments)]
    origin = times.begun[image]
    end = times.finished[image] - origin
    enter, first = entering(segments)
    with styled():
        figure = new_figure(12, 5.4, title, remark)
        axes = figure.subplots()
        for segment in segments:
            left, width = segment.first - origin, segment.last - segment.first + 1
            row = units.index(segment.unit)
            colour = colours[segment.unit]
            edge = "white" if width > EDGE * end else colour
            axes.barh(row, width, 0.92, left=left, color=colour, edgecolor=edge, linewidth=0.5)
            if width > LABEL * end:
                style = {"ha": "center", "va": "center", "rotation": 90, "fontsize": 6.5, "color": "white"}
                axes.text(left + width / 2, row, segment.what, style)
        axes.set_yticks(range(len(units)), [enter if unit == UNITS[0] else unit for unit in units])
        axes.invert_yaxis()
        axes.set(xlabel=f"cycle, from the first {first}", xlim=(0, 1.01 * end))
        axes.xaxis.set_major_formatter(lambda value, _: f"{value:,g}")
        axes.grid(axis="x")
        write_figure(figure, path)
