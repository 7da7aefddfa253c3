"""Timeline of one inference: what each unit does in each range of cycles, as text and as a picture."""

from pathlib import Path

from sim.network.cycle_model import NetworkTimes, Segment

COLOURS = {"image": "#8c8c8c", "linear": "#4c72b0", "norm": "#dd8452", "attention": "#55a868"}
UNITS = tuple(COLOURS)
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


def picture(times: NetworkTimes, path: Path, image: int = 0) -> None:
    """One bar per unit and stretch of work, with what it was where there is room."""
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot

    origin = times.begun[image]
    figure, axes = pyplot.subplots(figsize=(12, 4.6))
    room = LABEL * (times.finished[image] - origin)
    for segment in segments_of(times, image):
        left, width = segment.first - origin, segment.last - segment.first + 1
        row = UNITS.index(segment.unit)
        axes.barh(row, width, left=left, color=COLOURS[segment.unit], edgecolor="white", linewidth=0.5)
        if width > room:
            style = {"ha": "center", "va": "center", "rotation": 90, "fontsize": 6, "color": "white"}
            axes.text(left + width / 2, row, segment.what, style)
    axes.set_yticks(range(len(UNITS)), UNITS)
    axes.invert_yaxis()
    axes.set_xlabel("cycle, from the first pixel")
    axes.spines[["top", "right"]].set_visible(False)
    figure.tight_layout()
    figure.savefig(path, dpi=120)
    pyplot.close(figure)
