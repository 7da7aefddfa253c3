"""Output beats are what they are marked as."""

from typing import Any

import numpy as np
import pytest

from sim.cores.marks import check_ends, check_rows
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
    check_rows(rows(count), FEATURES)


@pytest.mark.parametrize(
    ("stream", "mark", "beat"),
    [("o_code", "last", 5), ("o_code", "last", 0), ("o_context", "last", 7), ("o_context", "normaliser", 4)],
)
def test_a_wrong_mark_is_told(stream: str, mark: str, beat: int) -> None:
    outputs = rows(4)
    outputs[stream][mark][beat] ^= 1
    found = outputs[stream][mark][beat]
    with pytest.raises(SimulationError, match=f"^beat {beat} of {stream} has {mark} {found}$"):
        check_rows(outputs, FEATURES)


def test_scores_end_with_their_image() -> None:
    marks, sizes = np.array([0, 1, 1, 0, 0, 1]), np.array([2, 1, 3])
    check_ends({"o_score": {"last": marks}}, sizes)
    for beat in range(len(marks)):
        wrong = marks ^ (np.arange(len(marks)) == beat)
        with pytest.raises(SimulationError, match=f"^beat {beat} of o_score has last {wrong[beat]}$"):
            check_ends({"o_score": {"last": wrong}}, sizes)
