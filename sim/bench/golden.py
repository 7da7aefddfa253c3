"""Closed form of the golden model against the literal time-stepped procedure.

Both compute the same job, in turns in one process, and the ratio is that of the median times.
Linear algebra runs on one thread on both sides.
"""

import argparse
import platform
import statistics
import time
from dataclasses import dataclass

import numpy as np
from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]

from golden import literal
from golden.attention import AttentionJob, compute, prepare
from golden.code import PhaseCode

HEADS, TOKENS, HEAD_DIM = 12, 128, 32


@dataclass(frozen=True, kw_only=True)
class GoldenTimes:
    """Seconds per call on one workload.

    Attributes:
        closed_form: median time of `golden.attention.compute`.
        literal: median time of `golden.literal.attention`.
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


def example_job(seed: int) -> AttentionJob:
    """Normally distributed q, k and v of 12 heads, 128 tokens, head_dim 32; T=16, B=2^(1/2)."""
    rng = np.random.default_rng(seed)
    q, k, v = rng.standard_normal((3, HEADS, TOKENS, HEAD_DIM))
    return prepare(q, k, v, PhaseCode())


def measure(rounds: int = 5, closed_per_literal: int = 5, seed: int = 1) -> GoldenTimes:
    """Time both, alternating.

    Args:
        rounds: measurements of the literal procedure.
        closed_per_literal: measurements of the closed form after each of them.
        seed: of the workload.
    """
    job = example_job(seed)
    literal_times, closed_times = [], []
    with threadpool_limits(limits=1):
        compute(job)  # tables are built at the first call
        for _ in range(rounds):
            start = time.perf_counter()
            literal.attention(job)
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


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, prog="python -m sim.bench.golden")
    parser.add_argument("--rounds", type=int, default=5, help="measurements of the literal procedure")
    parser.add_argument("--seed", type=int, default=1, help="of the workload")
    arguments = parser.parse_args()
    times = measure(rounds=arguments.rounds, seed=arguments.seed)
    print(f"{times.workload}; seed {times.seed}, {times.rounds} rounds")
    print(f"numpy {np.__version__}, Python {platform.python_version()}, one thread")
    print(f"literal, time step by time step  {1e3 * times.literal:9.1f} ms")
    print(f"closed form                      {1e3 * times.closed_form:9.1f} ms")
    print(f"ratio                            {times.ratio:9.1f}")


if __name__ == "__main__":
    main()
