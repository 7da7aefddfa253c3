"""Marks of output beats: which closes a row or an image, and which is a normaliser."""

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sim.verilator.result import SimulationError


def check_rows(outputs: Mapping[str, Any], features: int) -> None:
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
        _check(stream, "last", outputs[stream], place == features + first - 1)
        if first:
            _check(stream, "normaliser", outputs[stream], place == 0)


def check_ends(outputs: Mapping[str, Any], scores: NDArray[np.int64]) -> None:
    """Whether of `o_score` the last one of each image is marked, and no other.

    Args:
        outputs: fields of the output streams.
        scores: of each image, so many, int64 [images].

    Raises:
        SimulationError: a mark is missing, or is where none belongs.
    """
    due = np.zeros(int(scores.sum()), bool)
    due[np.cumsum(scores) - 1] = True
    _check("o_score", "last", outputs["o_score"], due)


def _check(stream: str, mark: str, fields: Mapping[str, Any], due: NDArray[np.bool_]) -> None:
    wrong = np.flatnonzero(fields[mark] != due)
    if len(wrong):
        raise SimulationError(f"beat {wrong[0]} of {stream} has {mark} {int(not due[wrong[0]])}")
