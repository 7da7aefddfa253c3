"""Cycle model of the query feeder of a network core."""

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray


class QueryScan:
    """The query feeder: one feature per cycle; a spike leaves when its successor is known.

    Args:
        start: cycle in which it starts.
        active: [rows, features], which of them fire.
    """

    def __init__(self, start: int, active: NDArray[np.bool_]) -> None:
        self.cycle = start + 1  # in which the last feature was looked at
        self.closed = start  # in which the last spike of the last row left
        self._features = active.shape[1]
        # features from the second that fires on, which waits for room: the first one leaves then
        second = (np.cumsum(active, axis=1) > 1).sum(axis=1)
        self._waiting: Iterator[int] = iter(second.tolist())

    def row(self, free: int) -> int:
        """Look at the features of the next row.

        Args:
            free: first cycle in which the core has room for the row.

        Returns:
            Cycle in which the core accepts the row's last spike.
        """
        waiting = next(self._waiting)
        self.cycle = max(self.cycle + 1, self.closed) + self._features - 1
        if waiting:
            self.cycle = max(self.cycle, free + waiting - 1)
        self.closed = max(self.cycle + 1, free)
        return self.closed
