"""The shipped digits network with its attention in RTL.

    python -m sim.stochastic.demo --images 60

Classifies handwritten digits; every attention spike comes from the generated engine, simulated by
Verilator, and is compared with the golden model's.
"""

import argparse
import time
from pathlib import Path

import numpy as np

from golden.stochastic.attention import compute
from golden.stochastic.network import load_network
from golden.stochastic.plan import RandomPlan
from sim.stochastic import rtl
from sim.stochastic.cycle_model import predict
from sim.stochastic.datasets import load_images
from sim.stochastic.inference import ReplayedAttention, engine_config

WEIGHTS = Path(__file__).parents[2] / "golden" / "weights" / "ssa_digits.npz"


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--images", type=int, default=60, help="first images of the test set")
    parser.add_argument("--steps", type=int, default=10, help="T")
    parser.add_argument("--seed", type=int, default=1, help="of the random-number plan")
    parser.add_argument("--weights", type=Path, default=WEIGHTS)
    args = parser.parse_args()
    network = load_network(args.weights)
    config = engine_config(network, args.steps, RandomPlan(seed=args.seed))
    data = load_images("digits")
    images, labels = data.test[: args.images], data.test_labels[: args.images]
    shape = network.shape
    print(
        f"{len(images)} digits, {shape.depth} blocks of {shape.heads} heads, "
        f"N={shape.tokens} d={shape.head_dim} T={args.steps} seed={args.seed}"
    )
    began = time.perf_counter()
    attention = ReplayedAttention(config, lambda job: rtl.run(job)[0])
    classes = network.logits(images, args.steps, attention).argmax(axis=1)
    seconds = time.perf_counter() - began

    wrong = 0
    for job, spikes in zip(attention.jobs, attention.spikes, strict=True):
        expected = compute(job)
        for part in ("score", "out"):
            wrong += int(np.count_nonzero(getattr(spikes, part) != getattr(expected, part)))
    total = sum(spikes.score.size + spikes.out.size for spikes in attention.spikes)
    hits = int((classes == labels).sum())
    cycles = shape.depth * (predict(attention.jobs[0]).total + 1)
    print(f"spikes: {total} compared with the golden model, {wrong} differ")
    print(f"classes: {hits} of {len(images)} right ({100 * hits / len(images):.2f} %)")
    print(f"engine: {cycles // len(images)} cycles per image for all attention; {seconds:.1f} s in all")
    return 1 if wrong else 0


if __name__ == "__main__":
    raise SystemExit(main())
