"""What the main job prints for people."""

from collections import Counter

import numpy as np
from rich.table import Table

from sim.demo.result import DemoResult


def demo_tables(result: DemoResult) -> list[Table]:
    """Tables of accuracy, integers and cycles, and events."""
    return [_accuracy(result), _agreement(result), _events(result)]


def _accuracy(result: DemoResult) -> Table:
    code, network = result.config.code, result.network.config
    n = len(result.digits.test_labels)
    labels = result.digits.test_labels
    table = Table(
        title=f"Handwritten digits: {network.layers} layers, {network.heads} heads, {network.tokens} tokens, "
        f"head_dim {network.head_dim}; T = {code.steps}, B = 2^({code.log2_base}), seed {result.seed}"
    )
    table.add_column("attention")
    table.add_column("held-out images", justify="right")
    table.add_column("correct", justify="right")
    table.add_column("accuracy", justify="right")
    for name, predicted in (
        ("exact softmax (float)", result.float_predicted),
        ("spiked, golden", result.spiking_predicted),
    ):
        correct = int((predicted == labels).sum())
        table.add_row(name, str(n), str(correct), f"{correct / n:.2%}")
    correct = int((result.engine_predicted == labels[result.chosen]).sum())
    images = len(result.chosen)
    table.add_row("spiked, RTL in the loop", str(images), str(correct), f"{correct / images:.2%}")
    table.caption = f"loss of accuracy: {result.loss_points:+.2f} points"
    return table


def _agreement(result: DemoResult) -> Table:
    table = Table(title="RTL against golden, and against the cycle model")
    table.add_column("layer")
    for column in (
        "heads",
        "integers compared",
        "different",
        "cycles predicted",
        "measured",
        "per head predicted",
        "measured",
        "lanes at work",
    ):
        table.add_column(column, justify="right")
    for run in result.runs:
        table.add_row(
            str(run.layer),
            str(run.job.heads),
            str(run.comparison.compared),
            str(run.comparison.different),
            str(run.predicted.total),
            str(run.measured.total),
            _span(run.predicted.durations),
            _span(run.measured.durations),
            f"{run.activity.lane_utilisation:.1%}",
        )
    table.add_section()
    table.add_row(
        "all",
        str(sum(run.job.heads for run in result.runs)),
        str(result.compared),
        str(result.different),
        str(sum(run.predicted.total for run in result.runs)),
        str(sum(run.measured.total for run in result.runs)),
        _span(np.concatenate([run.predicted.durations for run in result.runs])),
        _span(np.concatenate([run.measured.durations for run in result.runs])),
        "",
    )
    table.caption = "cycles per head: least to most; the first head of a layer includes filling the pipeline"
    return table


def _events(result: DemoResult) -> Table:
    table = Table(title="Events in the RTL's heads")
    table.add_column("event")
    table.add_column("count", justify="right")
    table.add_column("per head", justify="right")
    events: Counter[str] = Counter()
    for run in result.runs:
        events.update(run.activity.events)
    heads = sum(run.job.heads for run in result.runs)
    for name, count in events.items():
        table.add_row(name.replace("_", " "), str(count), f"{count / heads:.1f}")
    return table


def _span(values: np.ndarray) -> str:
    low, high = int(values.min()), int(values.max())
    return str(low) if low == high else f"{low} to {high}"
