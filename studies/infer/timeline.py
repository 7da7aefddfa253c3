"""Timeline of one inference: what each unit does in each range of cycles, as text and as a picture."""

from pathlib import Path

from sim.timing.network import NetworkTimes, Segment

UNITS = ("image", "memory", "linear", "norm", "attention")
# Share of the picture that a bar needs for its label
LABEL = 1 / 60


def segments_of(times: NetworkTimes, image: int) -> list[Segment]:
    """Segments of one image, from the one before to it finishing."""
    count = len(times.timeline) // len(times.finished)
    return times.timeline[image * count : (image + 1) * count]


def text(times: NetworkTimes, image: int = 0) -> str:
    """One line per stretch of work, in order of its first cycle; cycles count from the first pixel."""
    origin = times.begun[image]
    lines = [f"{'first':>7} {'last':>7} {'cycles':>7}  unit       what"]
    for segment in sorted(segments_of(times, image), key=lambda s: s.first):
        first, last = segment.first - origin, segment.last - origin
        lines.append(f"{first:7d} {last:7d} {last - first + 1:7d}  {segment.unit:10s} {segment.what}")
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
    with styled():
        figure = new_figure(12, 5.4, title, remark)
        axes = figure.subplots()
        for segment in segments:
            left, width = segment.first - origin, segment.last - segment.first + 1
            row = units.index(segment.unit)
            colour = colours[segment.unit]
            axes.barh(row, width, 0.92, left=left, color=colour, edgecolor="white", linewidth=0.5)
            if width > LABEL * end:
                style = {"ha": "center", "va": "center", "rotation": 90, "fontsize": 6.5, "color": "white"}
                axes.text(left + width / 2, row, segment.what, style)
        axes.set_yticks(range(len(units)), units)
        axes.invert_yaxis()
        axes.set(xlabel="cycle, from the first pixel", xlim=(0, 1.01 * end))
        axes.xaxis.set_major_formatter(lambda value, _: f"{value:,g}")
        axes.grid(axis="x")
        write_figure(figure, path)
