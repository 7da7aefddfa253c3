"""Beats of a row are what they are marked as."""

from typing import Any

import numpy as np
import pytest

from sim.cores.marks import check_marks
from sim.verilator.result import SimulationError

FEATURES = 3


def rows(count: int) -> dict[str, Any]:
    """Marks of so many rows on both streams."""
    return {
        "o_code": {"last": np.tile([0, 0, 1], count)},
        "o_context": {"normaliser": np.tile([1, 0, 0, 0], count), "last": np.tile([0, 0, 0, 1], count)},
        "o_tap": {},
    }


@pytest.mark.parametrize("count", [0, 1, 4])
def test_marks_where_they_belong(count: int) -> None:
    check_marks(rows(count), FEATURES)


@pytest.mark.parametrize(
    ("stream", "mark", "beat"),
    [("o_code", "last", 5), ("o_code", "last", 0), ("o_context", "last", 7), ("o_context", "normaliser", 4)],
)
def test_a_wrong_mark_is_told(stream: str, mark: str, beat: int) -> None:
    outputs = rows(4)
    outputs[stream][mark][beat] ^= 1
    found = outputs[stream][mark][beat]
    with pytest.raises(SimulationError, match=f"^beat {beat} of {stream} has {mark} {found}$"):
        check_marks(outputs, FEATURES)
