"""Study of random-number plans: error and bias of the output rate against T, beside their area.

    onespike stochastic study --plot build/plans.png --report build/plans.json

All plans see the same spike trains, drawn with ideal random numbers from random rates, so that
only the draws of the score and output comparators differ. Every head of a run repeats the same
rates: the mean over heads estimates the bias of each output, the spread within it the error.
"""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from golden.code import check_range
from golden.errors import InputError
from golden.stochastic.attention import attend, draws, expectation
from golden.stochastic.config import StochasticConfig
from golden.stochastic.plan import COMPARED, RandomPlan
from synth.figures import PLANS

STEPS = (1, 2, 4, 8, 16, 32, 64)


@dataclass(frozen=True, kw_only=True)
class Case:
    """A plan under study.

    Attributes:
        label: its name in table and plot.
        plan: the plan; None for ideal random numbers.
        shared: the output comparators use the numbers of the scores once more.
    """

    label: str
    plan: RandomPlan | None
    shared: bool = False


# Ideal random numbers come first: they set the scale
CASES = (
    Case(label="ideal", plan=None),
    *(Case(label=label, plan=plan) for label, plan in COMPARED.items()),
    Case(label="row, same numbers for S and A", plan=RandomPlan(score="row"), shared=True),
    Case(
        label="array, 16 bits that repeat",
        plan=RandomPlan(score="array", width=16, output="serial", allow_dependent=True),
    ),
)


def measure(case: Case, *, size: int, heads: int, seed: int) -> dict[str, Any]:
    """Error and bias of one plan with N = d = size at every T.

    Returns:
        error: root mean square of (rate - expectation) by T.
        bias: root mean square over outputs of the mean error over heads, less what chance alone
            gives, by T; mean_bias: mean error over outputs and heads, signed, by T, and mean_bias_error:
            its standard error, from the spread of the heads' means.
        token_mean, feature_mean: error of the output averaged over tokens or features, over that of
            independent outputs, at the largest T: what the sharing of draws among rows or units
            leaves in quantities that a network averages.
        row_sum_variance: variance of sum_j S[i,j] within equal trains over that of independent units.
    """
    steps = max(STEPS)
    rng = np.random.default_rng(seed)
    q, k, v = rng.uniform(0.2, 1.0, size=(3, 1, size, size))
    trains = rng.random((3, steps, heads, size, size)) < np.stack([q, k, v])[:, None]
    config = StochasticConfig(
        tokens=size, head_dim=size, rows=size, steps=steps, plan=case.plan or RandomPlan()
    )
    if case.plan is None:
        score_draw, output_draw = rng.integers(0, size, size=(2, steps, heads, size, size))
    else:
        score_draw, output_draw = draws(config, 0, heads, steps)
    if case.shared:
        output_draw = score_draw
    score, out = attend(trains[0], trains[1], trains[2], score_draw, output_draw, config)
    probability = trains[0].astype(np.float32) @ trains[1].astype(np.float32).swapaxes(-1, -2) / size
    spread = (score - probability).sum(axis=-1)
    expected = expectation(q, k, v, config)
    deviation = out.mean(axis=0) - expected
    # Outputs that draw alone: the mean of `size` of them has 1/size of their variance
    alone = np.sqrt((deviation**2).mean() / size)
    error, bias, mean_bias, mean_bias_error = {}, {}, {}, {}
    for t in STEPS:
        deviation = out[:t].mean(axis=0) - expected
        mean = deviation.mean(axis=0)
        chance = deviation.var(axis=0, ddof=1).mean() / heads
        error[t] = float(np.sqrt((deviation**2).mean()))
        mean_bias[t] = float(mean.mean())
        mean_bias_error[t] = float(deviation.mean(axis=(1, 2)).std(ddof=1) / np.sqrt(heads))
        bias[t] = float(np.sqrt(max((mean**2).mean() - chance, 0.0)))
    return {
        "error": error,
        "bias": bias,
        "mean_bias": mean_bias,
        "mean_bias_error": mean_bias_error,
        "token_mean": float(np.sqrt((deviation.mean(axis=1) ** 2).mean()) / alone),
        "feature_mean": float(np.sqrt((deviation.mean(axis=2) ** 2).mean()) / alone),
        "row_sum_variance": float((spread**2).mean() / (probability * (1 - probability)).sum(-1).mean()),
        "signal": float(expected.std()),
    }


def plan_areas(path: Path | None, size: int) -> dict[str, dict[str, int]]:
    """LUT4-equivalents and flip-flops of a full array N = d = size, by label of its plan.

    Args:
        path: what `onespike dev area --plans --report` wrote; the figures that come with the
            project, empty unless they are of this size, when None.

    Raises:
        InputError: the file cannot be read, is something else, or is of another size.
    """
    file = path or PLANS
    try:
        table = json.loads(file.read_text(encoding="utf-8"))
        sizes = {int(table[name]) for name in ("size", "head_dim", "rows")}
        areas = {
            str(label): {name: int(cells[name]) for name in ("lut4", "flip_flops")}
            for label, cells in table["engines"].items()
        }
    except OSError as error:
        raise InputError(f"{file}: cannot be read ({error.strerror})") from None
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        raise InputError(f"{file}: must be what onespike dev area --plans --report writes") from None
    if sizes == {size}:
        return areas
    if path is None:
        return {}
    raise InputError(f"{file}: must be of full arrays with N = d = {size}, not {sorted(sizes)}")


def study(
    size: int,
    heads: int,
    seed: int,
    areas: Mapping[str, Mapping[str, int]],
    on_case: Callable[[str, dict[str, Any]], None],
) -> dict[str, dict[str, Any]]:
    """Every plan at this size, by its label: see `measure`, and its area where that is known.

    Args:
        areas: see `plan_areas`.
        on_case: called with label and result as each plan is done.

    Raises:
        InputError: size or heads outside their range.
    """
    # The repeating plan needs a draw of its own for every unit: at least two
    check_range("size", size, 2, 128)
    check_range("heads", heads, 2, 4096)
    results = {}
    for case in CASES:
        results[case.label] = measure(case, size=size, heads=heads, seed=seed) | dict(
            areas.get(case.label, {})
        )
        on_case(case.label, results[case.label])
    return results
