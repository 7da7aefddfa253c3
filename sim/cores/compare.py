"""Integers of an engine beside golden's, one by one."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, kw_only=True)
class Comparison:
    """What the comparison of an engine with golden found.

    Attributes:
        compared: integers compared.
        different: integers that differ.
        first_difference: one line that names place, field, index and both values, for the first place
            that differs and the first field of it in the order of computation; None when nothing differs.
    """

    compared: int
    different: int
    first_difference: str | None


def compare(
    expected: Mapping[str, NDArray[Any]], actual: Mapping[str, NDArray[Any]], places: Sequence[str]
) -> Comparison:
    """Compare every integer that an engine shows.

    Args:
        expected: golden's fields in the order of computation, each [*places, ...]; what is masked
            (`numpy.ma`) is undefined and not compared.
        actual: the fields that the engine shows.
        places: what the first dimensions of a field count, such as head and row.

    Raises:
        ValueError: a field has another shape than golden's.
    """
    compared = different = 0
    first: tuple[tuple[int, ...], int] | None = None
    text = None
    for order, name in enumerate(name for name in expected if name in actual):
        want, got = expected[name], actual[name]
        if got.shape != want.shape:
            raise ValueError(f"{name} has the shape {got.shape}, golden {want.shape}")
        wrong = np.ma.filled(np.not_equal(want, got), False)
        compared += int(np.ma.count(want))
        different += int(np.count_nonzero(wrong))
        if wrong.any():
            at = tuple(int(i) for i in np.argwhere(wrong)[0])
            place, index = at[: len(places)], list(at[len(places) :])
            if first is None or (place, order) < first:
                first = (place, order)
                where = ", ".join(f"{what} {number}" for what, number in zip(places, place, strict=True))
                field = f"{name}{index}" if index else name
                text = f"{where}, {field}: golden {want[at]:d}, engine {got[at]:d}"
    return Comparison(compared=compared, different=different, first_difference=text)
