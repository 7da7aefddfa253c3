"""What the main job prints for people."""

from collections import Counter

import numpy as np
from rich.box import SIMPLE
from rich.table import Table

from studies.demo.lockstep import LayerRun
from studies.demo.result import DemoResult


def demo_tables(result: DemoResult) -> list[Table]:
    """Tables of accuracy, integers and cycles, and events."""
    return [_accuracy(result), _agreement(result), _events(result)]


def _accuracy(result: DemoResult) -> Table:
    code, blocks, job = result.config.code, result.network.blocks, result.runs[0].job
    n = len(result.digits.test_labels)
    labels = result.digits.test_labels
    table = Table(
        title=f"Handwritten digits: {len(blocks)} layers, {blocks[0].heads} heads, {job.tokens} tokens, "
        f"head_dim {job.head_dim}; T = {code.steps}, B = 2^({code.log2_base}), seed {result.seed}"
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
    correct = int((result.engine_predicted == result.engine_labels).sum())
    images = len(result.chosen)
    table.add_row("spiked, RTL in the loop", str(images), str(correct), f"{correct / images:.2%}")
    table.caption = f"loss of accuracy: {result.loss_points:+.2f} points"
    return table


def _agreement(result: DemoResult) -> Table:
    # Nine columns of numbers in 80 characters
    table = Table(
        title="RTL against golden (integers) and against the cycle model (cycles)", box=SIMPLE, padding=0
    )
    table.add_column("layer", no_wrap=True)
    for column in (
        "heads",
        "integers\ncompared",
        "different",
        "cycles\npredicted",
        "measured",
        "per head\npredicted",
        "measured",
        "lanes\nat work",
    ):
        table.add_column(column, justify="right", no_wrap=True)
    for run in result.runs:
        _agreement_row(table, str(run.layer), [run], f"{run.activity.lane_utilisation:.1%}")
    table.add_section()
    _agreement_row(table, "all", result.runs, "")
    durations = np.concatenate([run.measured.durations for run in result.runs])
    table.caption = (
        f"cycles per head: mean over back-to-back heads, measured {durations.min()} to {durations.max()}; "
        "the first head of a layer includes filling the pipeline"
    )
    return table


def _agreement_row(table: Table, name: str, runs: list[LayerRun], utilisation: str) -> None:
    heads = sum(run.job.heads for run in runs)
    cycles = [
        sum(report.durations.sum() for report in reports)
        for reports in ([run.predicted for run in runs], [run.measured for run in runs])
    ]
    table.add_row(
        name,
        str(heads),
        str(sum(run.comparison.compared for run in runs)),
        str(sum(run.comparison.different for run in runs)),
        *(str(count) for count in cycles),
        *(f"{count / heads:.1f}" for count in cycles),
        utilisation,
    )


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
