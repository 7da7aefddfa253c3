"""Cycle model of the query feeder of a network core."""

import numpy as np
from numpy.typing import NDArray


class QueryScan:
    """The query feeder: one feature per cycle; a spike leaves when its successor is known."""

    def __init__(self, start: int) -> None:
        self.cycle = start + 1  # in which the last feature was looked at
        self.closed = start  # in which the last spike of the last row left

    def row(self, active: NDArray[np.bool_], free: int) -> int:
        """Look at the features of a row.

        Args:
            active: which of them fire.
            free: first cycle in which the core has room for the row.

        Returns:
            Cycle in which the core accepts the row's last spike.
        """
        held = False
        for feature, fires in enumerate(active):
            self.cycle += 1
            if feature == 0:
                self.cycle = max(self.cycle, self.closed)
            if fires and held:
                self.cycle = max(self.cycle, free)
            held |= bool(fires)
        self.closed = max(self.cycle + 1, free)
        return self.closed
