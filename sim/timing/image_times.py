"""What a cycle model says of a whole network: when images begin and finish, and what each unit does."""

from dataclasses import dataclass, field

import numpy as np

from sim.timing.cycles import CycleReport, StageActivity
from sim.timing.weights import LayerFetch


@dataclass(frozen=True)
class Segment:
    """A stretch of work of one unit: cycles first..last, and what it was."""

    unit: str
    what: str
    first: int
    last: int


@dataclass(eq=False)
class ImageTimes:
    """Predicted times of a run of images.

    Attributes:
        begun: cycle in which the first of what enters with each image is accepted.
        finished: cycle in which the last score of each image leaves.
        broadcasts: of spikes to the lanes; additions: by all lanes.
        timeline: what each unit did.
        fetched: of streamed weights, what each layer took.
    """

    begun: list[int] = field(default_factory=list)
    finished: list[int] = field(default_factory=list)
    broadcasts: int = 0
    additions: int = 0
    timeline: list[Segment] = field(default_factory=list)
    fetched: list[LayerFetch] = field(default_factory=list)

    def report(self) -> CycleReport:
        return CycleReport(np.array(self.finished)[:, None], since=self.begun[0])

    def activity(self, lanes: int) -> StageActivity:
        """Of the neuron lanes: additions of weights; cycles at work of every unit; loading is left out."""
        busy: dict[str, int] = {}
        for segment in self.timeline:
            busy[segment.unit] = busy.get(segment.unit, 0) + segment.last - segment.first + 1
        cycles = self.finished[-1] - self.begun[0] + 1
        return StageActivity(
            events={"spikes_broadcast": self.broadcasts, "weight_additions": self.additions},
            busy=busy,
            lane_utilisation=self.additions / (lanes * cycles),
        )
