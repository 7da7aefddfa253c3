"""Random integer cores and jobs, drawn from everything that `IntegerConfig` and its checks accept."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from golden.attention.config import OUTPUT_FORMS
from golden.integer.config import MULTIPLIERS, IntegerConfig
from golden.integer.job import MAX_BITS, MIN_BITS, MIN_RATIO, RATIO_WIDTH, IntegerJob
from golden.integer.softmax import MANTISSA_BITS, MAX_SHIFT
from sim.cores.integer.core import IntegerAttentionCore
from sim.timing.integer import predict_in_turn
from tests.hw.attention.random_jobs import MOST_GROUPS, MOST_HEADS, Checked, divisor, limits_or

# What one simulation may cost: products of all lanes in all rows of a job
MOST_PRODUCTS = 1 << 18


def random_config(seed: int, *, most_lanes: int) -> IntegerConfig:
    """A core: every field over its whole range, but for the lanes and the features, which are lanes too.

    Args:
        seed: of every draw.
        most_lanes: the time it takes to compile the core grows with its lanes.
    """
    rng = np.random.default_rng([seed, 1])
    lanes = limits_or(rng, 1, most_lanes)
    groups = int(rng.integers(1, MOST_GROUPS + 1))
    return IntegerConfig(
        bits=int(rng.integers(MIN_BITS, MAX_BITS + 1)),
        lanes=lanes,
        cluster=divisor(rng, lanes),
        tokens=lanes * groups - int(rng.integers(lanes)),
        head_dim=limits_or(rng, 1, most_lanes),
        multiplier=MULTIPLIERS[rng.integers(len(MULTIPLIERS))],
        bias=bool(rng.random() < 0.5),
        mask=bool(rng.random() < 0.5),
        queued_heads=int(rng.integers(1, 9)),
        output=OUTPUT_FORMS[rng.integers(len(OUTPUT_FORMS))],
        taps=bool(rng.random() < 0.8),
    )


def random_codes(rng: np.random.Generator, limit: int, shape: tuple[int, ...]) -> Any:
    """Any codes, small ones, zeros, or all as large as a code can be."""
    if rng.random() < 0.1:
        return np.full(shape, rng.choice([-limit, 0, limit]))
    largest = limits_or(rng, 1, limit)
    return rng.integers(-largest, largest + 1, shape)


def random_job(rng: np.random.Generator, config: IntegerConfig, *, full: bool = False) -> IntegerJob:
    """Heads that the core accepts; tokens and features small, large, or as many as it holds. With `full` as
    many always, and as many heads as one simulation may cost."""
    tokens, features = limits_or(rng, 1, config.tokens), limits_or(rng, 1, config.head_dim)
    if full:
        tokens, features = config.tokens, config.head_dim
    features = min(features, max(1, MOST_PRODUCTS // tokens**2))
    heads = int(rng.integers(1, 4)) if tokens * features < 1000 else 1
    if full:
        heads = max(1, min(MOST_HEADS, MOST_PRODUCTS // (tokens**2 * features)))
    shape = (heads, tokens, features)
    terms: dict[str, Any] = {"bias": None, "allowed": None}
    if config.bias and rng.random() < 0.6:
        limit = limits_or(rng, 1, config.bias_limit)
        terms["bias"] = rng.integers(-limit, limit + 1, (heads, tokens, tokens))
    if config.mask and rng.random() < 0.6:
        allowed = rng.random((heads, tokens, tokens)) < rng.choice([0, 0.3, 0.9])
        allowed |= np.arange(tokens) == rng.integers(tokens, size=(heads, tokens, 1))
        terms["allowed"] = allowed
    return IntegerJob(
        bits=config.bits,
        **{name: random_codes(rng, config.code_limit, shape) for name in "qkv"},
        **terms,
        mantissa=rng.integers(0, 1 << MANTISSA_BITS, heads),
        shift=rng.integers(0, MAX_SHIFT + 1, heads),
        ratio=np.array([max(MIN_RATIO, limits_or(rng, 1, (1 << RATIO_WIDTH) - 1)) for _ in range(heads)]),
    )


def random_run(seed: int, config: IntegerConfig) -> list[IntegerJob]:
    """Jobs whose heads follow each other: one-token heads between long ones, other steps and terms."""
    rng = np.random.default_rng([seed, 2])
    return [random_job(rng, config) for _ in range(int(rng.integers(1, 7)))]


def check_run(jobs: Sequence[IntegerJob], config: IntegerConfig, checked: Checked, **how: Any) -> None:
    """Heads back to back through the RTL: integers equal golden's, at full rate cycles the model's.

    Args:
        jobs: what runs, in turn.
        config: the core.
        checked: counts what is compared.
        how: pauses, seed, reset_at of `sim.verilator.simulator.Simulator.run`.

    Raises:
        AssertionError: an integer or a cycle differs.
    """
    core = IntegerAttentionCore(config)
    timed = [None] * len(jobs) if how else predict_in_turn(jobs, config)
    runs = core.run_in_turn(jobs, quick=True, **how)
    for number, (job, ran, prediction) in enumerate(zip(jobs, runs, timed, strict=True)):
        comparison = core.compare(job, core.shown(job, ran.result))
        assert not comparison.different, f"job {number}: {comparison.first_difference}"
        if prediction is not None:
            late = np.argwhere(ran.cycles.rows != prediction.rows)
            assert not len(late), (
                f"job {number}, head, row {late[0].tolist()}: measured {ran.cycles.rows[tuple(late[0])]}, "
                f"predicted {prediction.rows[tuple(late[0])]}"
            )
            checked.cycles += prediction.rows.size
        checked.integers += comparison.compared
        checked.heads += job.heads
    checked.runs += 1


def check_core(seed: int, runs: int, checked: Checked, *, most_lanes: int, full: int = 0) -> None:
    """A random core with random runs; see `check_runs`."""
    check_runs(random_config(seed, most_lanes=most_lanes), seed, runs, checked, full=full)


def check_runs(config: IntegerConfig, seed: int, runs: int, checked: Checked, *, full: int = 0) -> None:
    """A core with random runs, and `full` more with a job that fills it: a third with pauses, a few cut off
    by a reset.

    Raises:
        AssertionError: an integer or a cycle differs; the message names core and run.
    """
    rng = np.random.default_rng([seed, 3])
    for run in range(runs + full):
        jobs = random_run(seed * 1000 + run, config) if run < runs else [random_job(rng, config, full=True)]
        how: dict[str, Any] = {}
        if rng.random() < 0.3:
            how = {"pauses": float(rng.uniform(0.1, 0.9)), "seed": int(rng.integers(1 << 16))}
        if rng.random() < 0.15:
            total = max(int(report.rows.max()) for report in predict_in_turn(jobs, config))
            how["reset_at"] = int(rng.integers(1, total))
        try:
            check_run(jobs, config, checked, **how)
        except Exception as error:
            raise AssertionError(f"seed {seed}, run {run}, {how}, {config}: {error}") from error
    checked.cores += 1
