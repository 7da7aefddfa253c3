"""Random attention cores and jobs, drawn from everything that `CoreConfig` and its checks accept."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import Any

import numpy as np
from numpy.typing import NDArray

from golden.attention.config import OUTPUT_FORMS, SCORE_STORES, TRACE_STORES, CoreConfig
from golden.attention.job import AttentionJob, AttentionSpikes, compute
from golden.attention.key_serial import key_serial as as_key_serial
from golden.attention.normaliser import MAX_RATIO, RATIO_FRACTION_BITS, RATIO_WIDTH
from golden.code import MAX_DENOMINATOR, MAX_STEPS, PhaseCode, Spikes
from sim.cores.attention.core import SpikedAttentionCore
from sim.cores.heads import HeadCore
from sim.cores.keyserial.core import KeySerialAttentionCore
from sim.timing import attention as lane_parallel
from sim.timing import key_serial
from sim.timing.cycles import CycleReport

MOST_GROUPS = 16
# What one simulation may cost: spikes added by all lanes in all rows of a job
MOST_ADDITIONS = 1 << 20
MOST_HEADS = 64


def limits_or(rng: np.random.Generator, low: int, high: int) -> int:
    """An integer in low..high: of every order of magnitude, each limit a tenth of the time."""
    kind = rng.random()
    if kind < 0.2:
        return low if kind < 0.1 else high
    return int(np.clip(np.exp2(rng.uniform(np.log2(low + 1), np.log2(high + 2))) - 1, low, high))


def divisor(rng: np.random.Generator, number: int) -> int:
    return int(rng.choice([n for n in range(1, number + 1) if number % n == 0]))


def random_code(rng: np.random.Generator) -> PhaseCode:
    denominator = int(rng.integers(1, MAX_DENOMINATOR + 1))
    return PhaseCode(
        steps=limits_or(rng, 1, MAX_STEPS),
        log2_base=Fraction(int(rng.integers(1, 2 * denominator + 1)), denominator),
        trace_bits=int(rng.integers(4, 17)),
        ramp_bits=int(rng.integers(0, 9)),
    )


def random_config(seed: int, *, most_lanes: int) -> CoreConfig:
    """A core: every field over its whole range, but for the lanes.

    Args:
        seed: of every draw.
        most_lanes: the time it takes to compile the core grows with its lanes.
    """
    rng = np.random.default_rng([seed, 1])
    lanes = limits_or(rng, 1, most_lanes)
    cluster = divisor(rng, lanes)
    groups = int(rng.integers(1, MOST_GROUPS + 1))
    return CoreConfig(
        code=random_code(rng),
        lanes=lanes,
        cluster=cluster,
        terms_per_beat=divisor(rng, cluster),
        tokens=min(1024, lanes * groups - int(rng.integers(lanes))),
        head_dim=limits_or(rng, 1, 256),
        bias=bool(rng.random() < 0.5),
        mask=bool(rng.random() < 0.5),
        trace_store=TRACE_STORES[rng.integers(len(TRACE_STORES))],
        queued_heads=int(rng.integers(1, 9)),
        output=OUTPUT_FORMS[rng.integers(len(OUTPUT_FORMS))],
        taps=bool(rng.random() < 0.8),
        score_store=SCORE_STORES[rng.integers(len(SCORE_STORES))],
    )


def random_spikes(rng: np.random.Generator, code: PhaseCode, shape: tuple[int, ...]) -> Spikes:
    """Any phase and sign; dense, sparse or silent, or all as large as a code can be."""
    if rng.random() < 0.1:
        return Spikes(np.full(shape, rng.choice([-1, 1]), np.int8), np.zeros(shape, np.int8))
    active = rng.random(shape) < rng.choice([0, 0.2, 0.7, 0.7, 1])
    sign = (active * rng.choice([-1, 1], shape)).astype(np.int8)
    # early phases too, which late ones would drown in
    phase = rng.integers(0, limits_or(rng, 1, code.steps), shape)
    return Spikes(sign, np.where(active, phase, code.steps).astype(np.int8))


def random_job(rng: np.random.Generator, config: CoreConfig, *, full: bool = False) -> AttentionJob:
    """Heads that the core accepts; tokens and features small, large, or as many as it holds. With `full` as
    many always, and as many heads as one simulation may cost."""
    tokens, features = limits_or(rng, 1, config.tokens), limits_or(rng, 1, config.head_dim)
    if full:
        tokens, features = config.tokens, config.head_dim
    features = min(features, max(1, MOST_ADDITIONS // tokens**2))
    heads = int(rng.integers(1, 4)) if tokens * features < 1000 else 1
    if full:
        heads = max(1, min(MOST_HEADS, MOST_ADDITIONS // (tokens**2 * features)))
    shape = (heads, tokens, features)
    window = limits_or(rng, 1, config.code.steps)
    terms: dict[str, Any] = {"bias": None, "allowed": None}
    if config.bias and rng.random() < 0.6:
        limit = limits_or(rng, 1, config.bias_limit)
        terms["bias"] = rng.integers(-limit, limit + 1, (heads, tokens, tokens))
    if config.mask and rng.random() < 0.6:
        allowed = rng.random((heads, tokens, tokens)) < rng.choice([0, 0.3, 0.9])
        allowed |= np.arange(tokens) == rng.integers(tokens, size=(heads, tokens, 1))
        terms["allowed"] = allowed
    # mostly a ramp that separates the keys
    useful = 1 << config.score_width + config.code.ramp_bits
    steps = [0, 1, config.step_limit, *(limits_or(rng, 1, useful) // window for _ in range(5))]
    highest = [limits_or(rng, 1, (1 << RATIO_WIDTH) - 1) for _ in range(heads)]
    ratio = np.stack([ratios(number, config.code) for number in highest])
    return AttentionJob(
        code=config.code,
        window=window,
        **{name: random_spikes(rng, config.code, shape) for name in "qkv"},
        **terms,
        ramp_step=rng.choice(steps, heads).astype(np.int64),
        ratio=ratio,
    )


def ratios(highest: float, code: PhaseCode) -> NDArray[np.int64]:
    """Output ratios whose first is `highest`."""
    residues = np.arange(code.log2_base.denominator) / code.log2_base.denominator
    return np.maximum(np.floor(highest * 2.0**-residues + 0.5), 1).astype(np.int64)


def at_the_edge(rng: np.random.Generator, job: AttentionJob) -> AttentionJob:
    """The job with other ramp steps and output ratios: in each head a key just fires at its time, or one step
    later, and an output at its phase, or not: one more or less would show wherever it is added or lost."""
    spikes, job = compute(job), replace(job, ramp_step=job.ramp_step.copy(), ratio=job.ratio.copy())
    for head in range(job.heads):
        allowed = np.ones(spikes.score[head].shape, bool) if job.allowed is None else job.allowed[head]
        away = (spikes.winner[head][:, None] - spikes.score[head])[allowed]
        if (away > 0).any():
            distance = int(rng.choice(away[away > 0])) << job.code.ramp_bits
            t = int(rng.integers(job.window))
            step = -(-2 * distance // (2 * t + 1))  # the smallest that reaches it: floor(step/2) + t*step
            step += (step // 2 + t * step < distance) - int(rng.integers(2))
            job.ramp_step[head] = step
    spikes = compute(job)
    for head in range(job.heads):
        row, feature = (int(rng.integers(size)) for size in spikes.context[head].shape)
        octaves, residue = job.code.octave(int(rng.integers(job.code.steps)))
        context, normaliser = abs(int(spikes.context[head, row, feature])), int(spikes.normaliser[head, row])
        ratio = (context << RATIO_FRACTION_BITS + octaves) // normaliser + int(rng.integers(2))
        highest = ratio * 2.0 ** (residue / job.code.log2_base.denominator)
        if ratio >= 1 and highest <= MAX_RATIO:
            job.ratio[head] = ratios(highest, job.code)
            job.ratio[head, residue] = ratio
    return job


def random_run(seed: int, config: CoreConfig) -> list[AttentionJob]:
    """Jobs whose heads follow each other: one-token heads between long ones, other windows and terms. Every
    other one is at the edge."""
    rng = np.random.default_rng([seed, 2])
    jobs = [random_job(rng, config) for _ in range(int(rng.integers(1, 7)))]
    jobs = [at_the_edge(rng, job) if rng.random() < 0.5 else job for job in jobs]
    return jobs if config.terms else [replace(job, bias=None, allowed=None) for job in jobs]


@dataclass
class Checked:
    """What was compared."""

    cores: int = 0
    runs: int = 0
    heads: int = 0
    integers: int = 0
    cycles: int = 0


# A kind of core and its cycle model
Kind = tuple[type[HeadCore[Any, AttentionJob, AttentionSpikes]], Callable[..., list[CycleReport]]]
LANE_PARALLEL: Kind = SpikedAttentionCore, lane_parallel.predict_in_turn
KEY_SERIAL: Kind = KeySerialAttentionCore, key_serial.predict_in_turn


def check_run(
    jobs: Sequence[AttentionJob],
    config: CoreConfig,
    checked: Checked,
    kind: Kind = LANE_PARALLEL,
    **how: Any,
) -> None:
    """Heads back to back through the RTL: integers equal golden's, at full rate cycles the model's.

    Args:
        jobs: what runs, in turn.
        config: the core.
        checked: counts what is compared.
        kind: of core.
        how: pauses, seed, reset_at of `sim.verilator.simulator.Simulator.run`.

    Raises:
        AssertionError: an integer or a cycle differs.
    """
    core, predict_in_turn = kind[0](config), kind[1]
    timed = predict_in_turn(jobs, config) if not how else [None] * len(jobs)
    runs = core.run_in_turn(jobs, quick=True, **how)
    for number, (job, ran, prediction) in enumerate(zip(jobs, runs, timed, strict=True)):
        comparison = core.compare(job, core.shown(job, ran.result))
        assert not comparison.different, f"job {number}: {comparison.first_difference}"
        if prediction is not None:
            measured = ran.cycles.rows
            late = np.argwhere(measured != prediction.rows)
            assert not len(late), (
                f"job {number}, head, row {late[0].tolist()}: measured {measured[tuple(late[0])]}, "
                f"predicted {prediction.rows[tuple(late[0])]}"
            )
            checked.cycles += measured.size
        checked.integers += comparison.compared
        checked.heads += job.heads
    checked.runs += 1


def check_core(seed: int, runs: int, checked: Checked, *, most_lanes: int, full: int = 0) -> None:
    """A random core with random runs, and the key-serial core of its kind; see `check_runs`."""
    config = random_config(seed, most_lanes=most_lanes)
    check_runs(config, seed, runs, checked, full=full)
    check_runs(as_key_serial(config), seed, runs, checked, full=full, kind=KEY_SERIAL)


def check_runs(
    config: CoreConfig,
    seed: int,
    runs: int,
    checked: Checked,
    *,
    full: int = 0,
    kind: Kind = LANE_PARALLEL,
) -> None:
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
        if rng.random() < 0.1:
            total = max(int(report.rows.max()) for report in kind[1](jobs, config))
            how["reset_at"] = int(rng.integers(1, total))
        try:
            check_run(jobs, config, checked, kind, **how)
        except Exception as error:
            raise AssertionError(f"seed {seed}, run {run}, {how}, {config}: {error}") from error
    checked.cores += 1
