"""Accuracy of the trained networks against the number of time steps, as a table and a plot.

    onespike stochastic accuracy models/shipped/weights/ssa_digits.npz --plot build/accuracy.png

Runs the integer networks with the golden engine: every spike is one that the hardware would give. Beside them
a float network and its integers by SpikedAttention can run on the same images.
"""

from collections.abc import Callable, Sequence
from fractions import Fraction
from pathlib import Path
from typing import cast

import numpy as np
from numpy.typing import NDArray

from golden.code import MAX_DENOMINATOR, PhaseCode, check_range
from golden.errors import InputError
from golden.network.network import encode_image, run_network
from golden.stochastic.inference import classify
from golden.stochastic.network import load_network
from golden.stochastic.plan import RandomPlan, ScoreSharing
from models.floating.engine import FloatEngine
from models.floating.vit import Vit
from models.shipped.vit_file import FOLDER, load_vit
from studies.data.datasets import Images, load_images
from studies.infer.cases import COLOUR_CALIBRATION, NETWORKS, WHITE, converted
from studies.infer.inputs import inputs_of

Table = dict[str, dict[int, list[float]]]
STEPS = (1, 2, 3, 4, 6, 8, 10, 12, 14, 16)
MAX_STEPS = 1024
# Attention of a network, by its kind, as a picture names it
CONVERTED = "spiked attention"
LABELS = {"ssa": "SSA", "lif": "LIF attention", CONVERTED: "SpikedAttention"}
# From the first phase of a one-spike code to its last, and the largest base
OCTAVES, MOST_LOG2_BASE = 6, 2
BATCH = 250


def measure_accuracy(
    networks: Sequence[Path],
    dataset: str,
    data: Path | None,
    *,
    images: int | None,
    steps: Sequence[int],
    seeds: int,
    score: str,
    floating: str | None = None,
    on_point: Callable[[str, int, list[float]], None],
) -> tuple[int, Table, float | None]:
    """(images classified, percent right by kind of network and T: one number per seed, of the float network).

    Args:
        networks: files, of different kinds.
        dataset, data: see `studies.data.datasets.load_images`.
        images: the first so many of the test set; all when None.
        steps: every T to run.
        seeds: plans to run, seeds 1 and up; LIF attention draws no random numbers and runs once.
        score: sharing of the score generators.
        floating: float network that is converted, one of `studies.infer.cases.NETWORKS` or a file.
        on_point: called with kind, T and percents as each T is done.

    Raises:
        InputError: a bad network, data set or number, or a network for other images.
    """
    for value in steps:
        check_range("steps", value, 1, MAX_STEPS)
    check_range("seeds", seeds, 1, 1000)
    if images is not None:
        check_range("images", images, 1, 1_000_000)
    codes = [PhaseCode(steps=count, log2_base=base_for(count)) for count in steps if floating is not None]
    model = (
        None
        if floating is None
        else load_vit(FOLDER / NETWORKS[floating] if floating in NETWORKS else Path(floating))
    )
    loaded = load_images(dataset, data, train=COLOUR_CALIBRATION)
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
    right = None
    if model is not None:
        table[CONVERTED], right = measure_converted(model, loaded, len(test), codes, on_point)
    return len(test), table, right


def base_for(steps: int) -> Fraction:
    """log2 B with which a one-spike code of so many phases spans `OCTAVES`, as nearly as it can."""
    wished = Fraction(OCTAVES, steps - 1) if steps > 1 else Fraction(MOST_LOG2_BASE)
    return min(wished.limit_denominator(MAX_DENOMINATOR), Fraction(MOST_LOG2_BASE))


def measure_converted(
    model: Vit,
    images: Images,
    count: int,
    codes: Sequence[PhaseCode],
    on_point: Callable[[str, int, list[float]], None],
) -> tuple[dict[int, list[float]], float]:
    """Percent right of the first `count` images by T, of the integers of each code, and of the float network.

    Raises:
        InputError: images that the model is not given.
    """

    def samples(pixels: NDArray[np.uint8]) -> NDArray[np.floating]:
        grey = pixels.shape[3] == 1
        return inputs_of(model, (pixels[..., 0] if grey else pixels) / np.float32(WHITE), 0)

    labels, calibration = images.test_labels[:count], samples(images.train[:COLOUR_CALIBRATION])
    test = [samples(images.test[low : low + BATCH][: count - low]) for low in range(0, count, BATCH)]

    def percent(classes: list[NDArray[np.integer]]) -> float:
        return 100 * float((np.concatenate(classes) == labels).mean())

    row = {}
    for code in codes:
        network = converted(model, calibration, code)
        entering = (encode_image(network, model.entering(part)) for part in test)
        row[code.steps] = [percent([run_network(network, part).scores.argmax(-1) for part in entering])]
        on_point(CONVERTED, code.steps, row[code.steps])
    return row, percent([model.run(part, FloatEngine()).argmax(-1) for part in test])


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
