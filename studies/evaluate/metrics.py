"""Scores and their sampling error."""

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Values = NDArray[np.float64]


@dataclass(frozen=True, kw_only=True)
class Estimate:
    """A score and the interval that holds 95 % of the bootstrap repetitions that define it.

    All three are None where the score is not defined.
    """

    value: float | None
    low: float | None
    high: float | None


def ranks(values: Values) -> Values:
    """Ranks from 1, ties sharing their mean."""
    order = np.argsort(values, kind="stable")
    ordered = values[order]
    starts = np.flatnonzero(np.concatenate([[True], ordered[1:] != ordered[:-1]]))
    ends = np.append(starts[1:], len(values))
    mean = (starts + ends + 1) / 2
    result = np.empty(len(values))
    result[order] = np.repeat(mean, ends - starts)
    return result


def spearman(left: Values, right: Values) -> float:
    """Rank correlation, x 100; NaN where it is not defined: a side is constant or holds a NaN."""
    if np.isnan(left).any() or np.isnan(right).any():
        return math.nan
    a, b = ranks(left), ranks(right)
    a, b = a - a.mean(), b - b.mean()
    norm = float(np.sqrt((a @ a) * (b @ b)))
    return 100 * float(a @ b) / norm if norm else math.nan


def accuracy(right: Values) -> float:
    """Share of ones, in percent."""
    return 100 * float(right.mean())


def cosine(left: NDArray[np.floating], right: NDArray[np.floating]) -> Values:
    """Cosine of the angle between vectors of the last axis; NaN where one is 0, and has no direction."""
    product = (left * right).sum(axis=-1, dtype=np.float64)
    norm = np.linalg.norm(left, axis=-1) * np.linalg.norm(right, axis=-1)
    return np.divide(product, norm, out=np.full_like(product, np.nan), where=norm != 0)


def defined(value: float) -> float | None:
    """None for NaN: what is not defined, as reports write it."""
    return None if math.isnan(value) else float(value)


def bootstrap(
    statistic: Callable[[NDArray[np.intp]], Values], samples: int, seed: int, repetitions: int = 1000
) -> list[Estimate]:
    """Percentile intervals over resampled samples.

    Args:
        statistic: maps indices of samples to several scores, [scores], NaN where one is not defined; sharing
            the indices makes the interval of a difference of scores a paired one.
        samples: number of samples.
        seed: of the resampling.
        repetitions: number of resamplings.

    Returns:
        One estimate per score; the value is that of all samples, once each.
    """
    rng = np.random.default_rng(seed)
    values = statistic(np.arange(samples))
    repeated = np.stack([statistic(rng.integers(0, samples, samples)) for _ in range(repetitions)])
    # What is not defined for all samples is not for any choice of them
    known = ~np.isnan(values)
    interval = np.full((2, len(values)), np.nan)
    interval[:, known] = np.nanpercentile(repeated[:, known], [2.5, 97.5], axis=0)
    return [
        Estimate(value=defined(v), low=defined(a), high=defined(b))
        for v, a, b in zip(values, *interval, strict=True)
    ]
