"""Accuracy of the trained networks against the number of time steps, as a table and a plot.

    python -m sim.stochastic.accuracy golden/weights/ssa_digits.npz --plot build/accuracy.png

Runs the integer networks with the golden engine: every spike is one that the hardware would give.
"""

import argparse
import json
from pathlib import Path

import numpy as np

from golden.stochastic.network import load_network
from golden.stochastic.plan import SCORE_SHARINGS, RandomPlan
from sim.stochastic.datasets import DATASETS, load_images
from sim.stochastic.inference import classify

Table = dict[str, dict[int, list[float]]]
STEPS = (1, 2, 3, 4, 6, 8, 10, 12, 14, 16)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("networks", type=Path, nargs="+")
    parser.add_argument("--dataset", choices=DATASETS, default="digits")
    parser.add_argument("--data", type=Path, help="folder that holds fashion-mnist/ and cifar10/")
    parser.add_argument("--images", type=int, help="first images of the test set; all when absent")
    parser.add_argument("--steps", type=int, nargs="+", default=STEPS)
    parser.add_argument("--seeds", type=int, default=4, help="plans to run, seeds 1 and up")
    parser.add_argument("--score", choices=SCORE_SHARINGS, default=RandomPlan().score, help="of the plan")
    parser.add_argument("--float", type=float, help="accuracy of the float network, for the plot")
    parser.add_argument("--plot", type=Path)
    parser.add_argument("--json", type=Path)
    args = parser.parse_args()
    data = load_images(args.dataset, args.data)
    images, labels = data.test[: args.images], data.test_labels[: args.images]
    table: Table = {}
    for path in args.networks:
        network = load_network(path)
        row = table[network.kind] = {}
        # LIF attention draws no random numbers
        seeds = range(1, args.seeds + 1 if network.kind == "ssa" else 2)
        for steps in args.steps:
            classes = [
                classify(network, images, steps, RandomPlan(seed=seed, score=args.score)) for seed in seeds
            ]
            row[steps] = [100 * float((c == labels).mean()) for c in classes]
            print(
                f"{args.dataset} {network.kind} T={steps}: {np.mean(row[steps]):.2f} % "
                f"({min(row[steps]):.2f} to {max(row[steps]):.2f}; "
                f"{len(classes)} seeds, {len(images)} images)",
                flush=True,
            )
    if args.json:
        report = {"dataset": args.dataset, "images": len(images), "float": args.float, "accuracy": table}
        args.json.write_text(json.dumps(report, indent=2) + "\n")
    if args.plot:
        plot(table, args.dataset, args.float, args.plot)


def plot(table: Table, dataset: str, float_accuracy: float | None, path: Path) -> None:
    import matplotlib

    matplotlib.use("Agg")
    import matplotlib.pyplot as plt

    figure, axes = plt.subplots(figsize=(6, 4), layout="constrained")
    for name, row in table.items():
        runs = list(row.values())
        steps, mean = np.array(list(row)), np.array([np.mean(r) for r in runs])
        axes.plot(steps, mean, "o-", label=name)
        axes.fill_between(steps, [min(r) for r in runs], [max(r) for r in runs], alpha=0.2)
    if float_accuracy is not None:
        axes.axhline(float_accuracy, color="black", linestyle="--", label="float")
    axes.set(xlabel="time steps T", ylabel="accuracy (%)", title=dataset)
    axes.legend()
    axes.grid(alpha=0.3)
    figure.savefig(path, dpi=150)


if __name__ == "__main__":
    main()
