"""When things happen: the one shape in which the cycle model predicts and the RTL measures.

Convention: cycle n = values sampled at clock edge n; cycle 0 = the first edge after reset at which
the input streams are offered.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, eq=False)
class CycleReport:
    """Completion times of a job. Two reports are equal when all their cycles are.

    Attributes:
        rows: int64 [heads, tokens], cycle in which the last output beat of the row is transferred; of
            inferences [images, 1], that of the last score.
        since: cycle from which the first duration counts.
    """

    rows: NDArray[np.int64]
    since: int = -1

    def __post_init__(self) -> None:
        rows = np.array(self.rows, dtype=np.int64)
        assert rows.ndim == 2, "rows are [heads, tokens]"
        rows.flags.writeable = False
        object.__setattr__(self, "rows", rows)

    @property
    def heads(self) -> NDArray[np.int64]:
        """Cycle in which each head completes, int64 [heads]: the one of its last row."""
        return self.rows[:, -1]

    @property
    def durations(self) -> NDArray[np.int64]:
        """Cycles that each head adds, int64 [heads]; the first one counts from cycle 0, or after `since`."""
        return np.diff(self.heads, prepend=self.since)

    @property
    def total(self) -> int:
        """Cycle in which the last head completes."""
        return int(self.heads[-1])

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, CycleReport):
            return NotImplemented
        return np.array_equal(self.rows, other.rows) and self.since == other.since

    __hash__ = None  # type: ignore[assignment]

    def to_json(self) -> dict[str, Any]:
        """Plain integers and lists, the `cycles` object of a report."""
        return {
            "total": self.total,
            "heads": self.heads.tolist(),
            "head_durations": self.durations.tolist(),
            "rows": self.rows.tolist(),
        }


@dataclass(frozen=True, kw_only=True)
class StageActivity:
    """What the stages of a core do during a job.

    Attributes:
        events: events by name: spikes broadcast in the score stage, synaptic additions, winner
            bits, ramp steps, context additions, codes fired.
        busy: cycles at work, by stage.
        lane_utilisation: fraction of lane-cycles that do useful work, 0..1.
    """

    events: dict[str, int]
    busy: dict[str, int]
    lane_utilisation: float

    def to_json(self) -> dict[str, Any]:
        """Plain values, the `activity` object of a report."""
        return {
            "events": {name: int(count) for name, count in self.events.items()},
            "busy_cycles": {stage: int(count) for stage, count in self.busy.items()},
            "lane_utilisation": float(self.lane_utilisation),
        }
