"""Marks of the beats of a row: which is the normaliser, and which the last."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from sim.verilator.result import SimulationError


def check_marks(outputs: Mapping[str, Any], features: int) -> None:
    """Whether beats of `o_code` and `o_context`, of rows of so many features, are marked as what they are.

    Args:
        outputs: fields of the output streams; those of other names have no marks.
        features: of a row; of the context the normaliser comes first.

    Raises:
        SimulationError: a mark is missing, or is where none belongs.
    """
    for stream, first in (("o_code", 0), ("o_context", 1)):
        if stream not in outputs:
            continue
        place = np.arange(len(outputs[stream]["last"])) % (features + first)
        due = {"last": place == features + first - 1} | ({"normaliser": place == 0} if first else {})
        for mark, where in due.items():
            wrong = np.flatnonzero(outputs[stream][mark] != where)
            if len(wrong):
                raise SimulationError(f"beat {wrong[0]} of {stream} has {mark} {int(not where[wrong[0]])}")
