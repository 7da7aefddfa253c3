"""Closed form of the golden model against the literal time-stepped procedure: speed and agreement.

Both compute the same job, in turns in one process, and the ratio is that of the median times.
Linear algebra runs on one thread on both sides.
"""

import platform
import statistics
import time
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]

from golden.attention import literal
from golden.attention.exact import softmax_attention
from golden.attention.job import Prepared, compute, decode_outputs, prepare
from golden.code import PhaseCode, decode

HEADS, TOKENS, HEAD_DIM = 12, 128, 32


@dataclass(frozen=True, kw_only=True)
class GoldenTimes:
    """Seconds per call on one workload.

    Attributes:
        closed_form: median time of `golden.attention.job.compute`.
        literal: median time of `golden.attention.literal.attention`.
        rounds: measurements of the literal procedure.
        workload: what was computed.
        seed: of the workload.
    """

    closed_form: float
    literal: float
    rounds: int
    workload: str
    seed: int

    @property
    def ratio(self) -> float:
        """How many times faster the closed form is."""
        return self.literal / self.closed_form


@dataclass(frozen=True, kw_only=True)
class Agreement:
    """How the literal procedure and the closed form differ on one workload.

    Attributes:
        phases_differ: fraction of attention phases that differ.
        rows_agree: fraction of rows whose attention phases all agree.
        outputs_differ: fraction of output phases that differ, in those rows.
        rows_moved: fraction of rows whose inhibition by the first positive input is not that by
            the winner, to a thousandth of a ramp step.
        cosine: decoded output against exact softmax attention, per procedure.
        seed: of the workload.
    """

    phases_differ: float
    rows_agree: float
    outputs_differ: float
    rows_moved: float
    cosine: dict[str, float]
    seed: int


def example_inputs(seed: int) -> NDArray[np.float64]:
    """q, k and v of 12 heads, 128 tokens, head_dim 32, normally distributed."""
    return np.random.default_rng(seed).standard_normal((3, HEADS, TOKENS, HEAD_DIM))


def example_job(seed: int) -> Prepared:
    """The job of `example_inputs` at T=16, B=2^(1/2)."""
    q, k, v = example_inputs(seed)
    return prepare(q, k, v, PhaseCode())


def compare(seed: int = 1) -> Agreement:
    """Both procedures on the workload of the benchmark."""
    job, scales = example_job(seed)
    closed = compute(job)
    slow, first = literal.attention(job, scales), literal.attention(job, scales, "first_positive")
    same = slow.attention.phase == np.where(closed.attn_phase < 0, job.code.steps, closed.attn_phase)
    rows = same.all(axis=-1)
    exact, _ = softmax_attention(*example_inputs(seed))
    step = job.ramp_step[:, None] / 2.0 ** (job.code.ramp_bits + job.code.trace_bits)
    outputs: dict[str, NDArray[np.floating]] = {
        "closed form": decode_outputs(job, closed, scales)[0],
        "literal": decode(slow.out, scales.o[:, None, None], job.code),
        "literal, first positive input": decode(first.out, scales.o[:, None, None], job.code),
    }
    return Agreement(
        phases_differ=1 - float(same.mean()),
        rows_agree=float(rows.mean()),
        outputs_differ=float((slow.out.phase != closed.out.phase)[rows].mean()),
        rows_moved=float((np.abs(first.inhibited - slow.inhibited) > step / 1000).mean()),
        cosine={name: _cosine(out, exact) for name, out in outputs.items()},
        seed=seed,
    )


def _cosine(some: NDArray[np.floating], other: NDArray[np.floating]) -> float:
    return float((some * other).sum() / np.linalg.norm(some) / np.linalg.norm(other))


def measure(rounds: int = 5, closed_per_literal: int = 5, seed: int = 1) -> GoldenTimes:
    """Time both, alternating.

    Args:
        rounds: measurements of the literal procedure.
        closed_per_literal: measurements of the closed form after each of them.
        seed: of the workload.
    """
    job, scales = example_job(seed)
    literal_times, closed_times = [], []
    with threadpool_limits(limits=1):
        compute(job)  # tables are built at the first call
        for _ in range(rounds):
            start = time.perf_counter()
            literal.attention(job, scales)
            literal_times.append(time.perf_counter() - start)
            for _ in range(closed_per_literal):
                start = time.perf_counter()
                compute(job)
                closed_times.append(time.perf_counter() - start)
    return GoldenTimes(
        closed_form=statistics.median(closed_times),
        literal=statistics.median(literal_times),
        rounds=rounds,
        workload=f"{HEADS} heads, {TOKENS} tokens, head_dim {HEAD_DIM}, T=16, B=2^(1/2)",
        seed=seed,
    )


def summary(times: GoldenTimes, agreement: Agreement) -> str:
    """Both for people."""
    lines = [
        f"{times.workload}; seed {times.seed}, {times.rounds} rounds",
        f"numpy {np.__version__}, Python {platform.python_version()}, one thread",
        f"literal, time step by time step  {1e3 * times.literal:9.1f} ms",
        f"closed form                      {1e3 * times.closed_form:9.1f} ms",
        f"ratio                            {times.ratio:9.1f}",
        f"attention phases that differ     {agreement.phases_differ:9.3%}",
        f"rows that agree in every phase   {agreement.rows_agree:9.3%}",
        f"their output phases that differ  {agreement.outputs_differ:9.3%}",
        f"rows where the first positive input is not the winner's score {agreement.rows_moved:.3%}",
        *(
            f"output against exact softmax, cosine {cosine:.4f} ({name})"
            for name, cosine in agreement.cosine.items()
        ),
    ]
    return "\n".join(lines)
