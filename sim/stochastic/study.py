"""Study of random-number plans: error and bias of the output rate against T, beside their area.

    onespike stochastic study --plot build/plans.png --report build/plans.json

All plans see the same spike trains, drawn with ideal random numbers from random rates, so that
only the draws of the score and output comparators differ. Every head of a run repeats the same
rates: the mean over heads estimates the bias of each output, the spread within it the error.
"""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from golden.code import check_range
from golden.stochastic.attention import attend, draws, expectation
from golden.stochastic.config import StochasticConfig
from golden.stochastic.plan import RandomPlan

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


CASES = (
    Case(label="ideal", plan=None),
    Case(label="unit", plan=RandomPlan(score="unit")),
    Case(label="row", plan=RandomPlan(score="row")),
    Case(label="row, leap 1", plan=RandomPlan(score="row", leap=1)),
    Case(label="array", plan=RandomPlan(score="array", output="serial")),
    Case(label="column-broadcast", plan=RandomPlan(score="column-broadcast")),
    Case(label="column-broadcast, one output generator", plan=RandomPlan(output="broadcast")),
    Case(label="row-broadcast", plan=RandomPlan(score="row-broadcast")),
    Case(label="row, same numbers for S and A", plan=RandomPlan(score="row"), shared=True),
    Case(
        label="array of 16 bits, repeats",
        plan=RandomPlan(score="array", width=16, output="serial", allow_repeats=True),
    ),
)


def measure(case: Case, *, size: int, heads: int, seed: int) -> dict[str, Any]:
    """Error and bias of one plan with N = d = size at every T.

    Returns:
        error: root mean square of (rate - expectation) by T.
        bias: root mean square over outputs of the mean error over heads, less what chance alone
            gives, by T; mean_bias: mean error over outputs and heads, signed, by T.
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
    error, bias, mean_bias = {}, {}, {}
    for t in STEPS:
        deviation = out[:t].mean(axis=0) - expected
        mean = deviation.mean(axis=0)
        chance = deviation.var(axis=0, ddof=1).mean() / heads
        error[t] = float(np.sqrt((deviation**2).mean()))
        mean_bias[t] = float(mean.mean())
        bias[t] = float(np.sqrt(max((mean**2).mean() - chance, 0.0)))
    return {
        "error": error,
        "bias": bias,
        "mean_bias": mean_bias,
        "token_mean": float(np.sqrt((deviation.mean(axis=1) ** 2).mean()) / alone),
        "feature_mean": float(np.sqrt((deviation.mean(axis=2) ** 2).mean()) / alone),
        "row_sum_variance": float((spread**2).mean() / (probability * (1 - probability)).sum(-1).mean()),
        "signal": float(expected.std()),
    }


def study(
    size: int, heads: int, seed: int, on_case: Callable[[str, dict[str, Any]], None]
) -> dict[str, dict[str, Any]]:
    """Every plan at this size, by its label; see `measure`.

    Args:
        on_case: called with label and result as each plan is done.

    Raises:
        InputError: size or heads outside their range.
    """
    # The repeating plan needs a draw of its own for every unit: at least two
    check_range("size", size, 2, 128)
    check_range("heads", heads, 2, 4096)
    results = {}
    for case in CASES:
        results[case.label] = measure(case, size=size, heads=heads, seed=seed)
        on_case(case.label, results[case.label])
    return results


def plot(results: dict[str, dict[str, Any]], area: dict[str, Any], path: Path) -> None:
    """Panels: error and bias against T, what averages keep of the error, area (where known)."""
    import matplotlib

    matplotlib.use("Agg")
    import matplotlib.pyplot as plt

    known = {label: area[label] for label in results if label in area}
    figure, panels = plt.subplots(2, 2, figsize=(13, 9), layout="constrained")
    for panel, name in zip(panels[0], ("error", "mean_bias"), strict=True):
        for label, result in results.items():
            panel.plot(np.array(STEPS), np.array(list(result[name].values())), "o-", label=label)
        panel.set(xlabel="time steps T", xscale="log")
        panel.grid(alpha=0.3)
    panels[0, 0].set(ylabel="error of the output rate (RMS)", yscale="log")
    panels[0, 0].legend(fontsize=8)
    panels[0, 1].set(ylabel="bias of the output rate (mean)")
    bars(panels[1, 0], results, {"token_mean": "mean over tokens", "feature_mean": "mean over features"})
    panels[1, 0].set(xlabel="error of averaged outputs, over that of independent ones")
    if known:
        bars(panels[1, 1], known, {"lut4": "LUT4-equivalents", "flip_flops": "flip-flops"})
        panels[1, 1].set(xlabel="ECP5 cells of the engine")
    else:
        panels[1, 1].set_axis_off()
    figure.savefig(path, dpi=150)


def bars(panel: Any, results: dict[str, dict[str, Any]], kinds: dict[str, str]) -> None:
    """Horizontal bars, one group per plan."""
    place = np.arange(len(results), dtype=np.float64)
    for number, (kind, label) in enumerate(kinds.items()):
        values = [result[kind] for result in results.values()]
        panel.barh(place + 0.4 * number - 0.2, values, 0.4, label=label)
    panel.set(yticks=place, yticklabels=list(results))
    panel.invert_yaxis()
    panel.legend()
