"""Cycles per head of both attention schemes at the same shapes, from their cycle models.

    python -m sim.stochastic.compare

Steady state of many heads back to back. SpikedAttention has one lane per token; the stochastic
engine once as a full array, once as a single row.
"""

import argparse

import numpy as np

from golden.attention import prepare as prepare_spiked
from golden.config import CoreConfig
from golden.stochastic.attention import prepare as prepare_stochastic
from golden.stochastic.config import StochasticConfig
from sim.cycle_model import predict as predict_spiked
from sim.cycles import CycleReport
from sim.stochastic.cycle_model import predict as predict_stochastic
from sim.workload import random_heads

SHAPES = ((16, 16), (32, 32), (64, 64), (9, 16))
HEADS = 6


def per_head(report: CycleReport) -> int:
    """Cycles that a head adds once the pipeline is full."""
    return int(report.durations[-1])


def spiked_cycles(tokens: int, head_dim: int, seed: int) -> tuple[int, int]:
    """(cycles of the first head, cycles per further head) of SpikedAttention, T = 16."""
    cluster = next(n for n in (8, 4, 3, 2, 1) if tokens % n == 0)
    config = CoreConfig(lanes=tokens, tokens=tokens, head_dim=head_dim, cluster=cluster, terms_per_beat=1)
    heads = random_heads(HEADS, tokens, head_dim, seed)
    job = prepare_spiked(heads["q"], heads["k"], heads["v"], code=config.code)
    report = predict_spiked(job, config)
    return int(report.durations[0]), per_head(report)


def stochastic_cycles(tokens: int, head_dim: int, rows: int, steps: int) -> tuple[int, int]:
    """(cycles of the first head, cycles per further head) of the stochastic engine."""
    config = StochasticConfig(tokens=tokens, head_dim=head_dim, rows=rows, steps=steps)
    trains = np.zeros((steps, HEADS, tokens, head_dim), dtype=np.bool_)
    report = predict_stochastic(prepare_stochastic(trains, trains, trains, config))
    return int(report.durations[0]), per_head(report)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--steps", type=int, default=10, help="T of the stochastic engine")
    parser.add_argument("--seed", type=int, default=0, help="of the random heads of SpikedAttention")
    args = parser.parse_args()
    print(f"cycles of a first head / of each further head; stochastic T={args.steps}, seed {args.seed}")
    print(f"{'N':>4s}{'d':>4s}{'SpikedAttention':>18s}{'stochastic N x N':>18s}{'stochastic 1 x N':>18s}")
    for tokens, head_dim in SHAPES:
        columns = [
            spiked_cycles(tokens, head_dim, args.seed),
            stochastic_cycles(tokens, head_dim, tokens, args.steps),
            stochastic_cycles(tokens, head_dim, 1, args.steps),
        ]
        print(f"{tokens:4d}{head_dim:4d}" + "".join(f"{f'{a} / {b}':>18s}" for a, b in columns))


if __name__ == "__main__":
    main()
