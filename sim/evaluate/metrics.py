"""Scores and their sampling error."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Values = NDArray[np.float64]


@dataclass(frozen=True, kw_only=True)
class Estimate:
    """A score and the interval that holds 95 % of its bootstrap repetitions."""

    value: float
    low: float
    high: float


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
    """Rank correlation, x 100; 0 where one side is constant."""
    a, b = ranks(left), ranks(right)
    a, b = a - a.mean(), b - b.mean()
    norm = float(np.sqrt((a @ a) * (b @ b)))
    return 100 * float(a @ b) / norm if norm else 0.0


def accuracy(right: Values) -> float:
    """Share of ones, in percent."""
    return 100 * float(right.mean())


def cosine(left: NDArray[np.floating], right: NDArray[np.floating]) -> Values:
    """Cosine of the angle between vectors of the last axis."""
    product = (left * right).sum(axis=-1, dtype=np.float64)
    return product / (np.linalg.norm(left, axis=-1) * np.linalg.norm(right, axis=-1))


def bootstrap(
    statistic: Callable[[NDArray[np.intp]], Values], samples: int, seed: int, repetitions: int = 1000
) -> list[Estimate]:
    """Percentile intervals over resampled samples.

    Args:
        statistic: maps indices of samples to several scores, [scores]; sharing the indices makes the
            interval of a difference of scores a paired one.
        samples: number of samples.
        seed: of the resampling.
        repetitions: number of resamplings.

    Returns:
        One estimate per score; the value is that of all samples, once each.
    """
    rng = np.random.default_rng(seed)
    values = statistic(np.arange(samples))
    repeated = np.stack([statistic(rng.integers(0, samples, samples)) for _ in range(repetitions)])
    low, high = np.percentile(repeated, [2.5, 97.5], axis=0)
    return [
        Estimate(value=float(v), low=float(a), high=float(b))
        for v, a, b in zip(values, low, high, strict=True)
    ]
