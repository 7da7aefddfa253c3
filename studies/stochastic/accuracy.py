"""Accuracy of the trained networks against the number of time steps, as a table and a plot.

    onespike stochastic accuracy models/shipped/weights/ssa_digits.npz --plot build/accuracy.png

Runs the integer networks with the golden engine: every spike is one that the hardware would give.
"""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import cast

import numpy as np

from golden.code import check_range
from golden.errors import InputError
from golden.stochastic.inference import classify
from golden.stochastic.network import load_network
from golden.stochastic.plan import RandomPlan, ScoreSharing
from studies.data.datasets import load_images

Table = dict[str, dict[int, list[float]]]
STEPS = (1, 2, 3, 4, 6, 8, 10, 12, 14, 16)
MAX_STEPS = 1024
# Attention of a network, by its kind, as a picture names it
LABELS = {"ssa": "SSA", "lif": "LIF attention"}


def measure_accuracy(
    networks: Sequence[Path],
    dataset: str,
    data: Path | None,
    *,
    images: int | None,
    steps: Sequence[int],
    seeds: int,
    score: str,
    on_point: Callable[[str, int, list[float]], None],
) -> tuple[int, Table]:
    """(images classified, percent right by kind of network and T: one number per seed).

    Args:
        networks: files, of different kinds.
        dataset, data: see `studies.data.datasets.load_images`.
        images: the first so many of the test set; all when None.
        steps: every T to run.
        seeds: plans to run, seeds 1 and up; LIF attention draws no random numbers and runs once.
        score: sharing of the score generators.
        on_point: called with kind, T and percents as each T is done.

    Raises:
        InputError: a bad network, data set or number, or a network for other images.
    """
    for value in steps:
        check_range("steps", value, 1, MAX_STEPS)
    check_range("seeds", seeds, 1, 1000)
    if images is not None:
        check_range("images", images, 1, 1_000_000)
    loaded = load_images(dataset, data)
    test, labels = loaded.test[:images], loaded.test_labels[:images]
    table: Table = {}
    for path in networks:
        network = load_network(path)
        wanted = (network.shape.side, network.shape.side, network.shape.channels)
        if test.shape[1:] != wanted:
            raise InputError(f"{path}: network must be for images {list(test.shape[1:])}, not {list(wanted)}")
        row = table[network.kind] = {}
        for count in steps:
            row[count] = []
            for seed in range(1, seeds + 1 if network.kind == "ssa" else 2):
                plan = RandomPlan(seed=seed, score=cast(ScoreSharing, score))
                classes = classify(network, test, count, plan)
                row[count].append(100 * float((classes == labels).mean()))
            on_point(network.kind, count, row[count])
    return len(test), table


def plot(table: Table, title: str, float_accuracy: float | None, path: Path) -> None:
    """Mean over the seeds against T, a band from the worst to the best of them; the float network dashed."""
    # The plotting library takes a second to load; only who draws waits for it
    from studies.plot_style import CYCLE, INK, label_right, new_figure, styled, write_figure

    runs = max(len(row[step]) for row in table.values() for step in row)
    remark = f"mean of {runs} seeds, band from the worst to the best" if runs > 1 else "one seed"
    with styled():
        figure = new_figure(7.2, 4.4, f"Accuracy against time steps: {title}", remark)
        axes = figure.subplots()
        labels = [] if float_accuracy is None else [(float_accuracy, "float", INK)]
        for (name, row), colour in zip(table.items(), CYCLE, strict=False):
            steps, mean = list(row), [float(np.mean(values)) for values in row.values()]
            axes.plot(steps, mean, "o-", color=colour)
            low, high = [min(values) for values in row.values()], [max(values) for values in row.values()]
            axes.fill_between(steps, low, high, color=colour, alpha=0.2, linewidth=0)
            labels.append((mean[-1], LABELS[name], colour))
        if float_accuracy is not None:
            axes.axhline(float_accuracy, color=INK, linestyle="--", linewidth=1)
        axes.set(xlabel="time steps T", ylabel="accuracy (%)")
        axes.grid()
        label_right(axes, labels)
        write_figure(figure, path)
