"""What the main job found, and its report."""

from dataclasses import dataclass
from importlib.metadata import version
from typing import Any

import numpy as np
from numpy.typing import NDArray

from golden.attention.config import CoreConfig, to_table
from models.floating.vit import Vit
from sim.timing.cycles import CycleReport
from studies.attention.report import tool_versions
from studies.data import handwritten_digits as dataset
from studies.demo.lockstep import LayerRun


@dataclass(frozen=True, kw_only=True)
class DemoResult:
    """Everything the main job found.

    Attributes:
        seed: chose the images of the engine under test.
        config: the core.
        network: the trained network.
        training: what its training recorded.
        digits: the split data.
        float_predicted, spiking_predicted: classes of the held-out images, int64 [n], with exact
            and with spiked attention (golden).
        chosen: held-out images that ran through the engine under test, int64 [images], rising.
        engine_predicted: their classes by that engine, int64 [images].
        runs: its runs, one per layer.
    """

    seed: int
    config: CoreConfig
    network: Vit
    training: dict[str, Any]
    digits: dataset.Digits
    float_predicted: NDArray[np.int64]
    spiking_predicted: NDArray[np.int64]
    chosen: NDArray[np.int64]
    engine_predicted: NDArray[np.int64]
    runs: list[LayerRun]

    @property
    def float_accuracy(self) -> float:
        """Fraction of held-out images that exact attention classifies correctly."""
        return float((self.float_predicted == self.digits.test_labels).mean())

    @property
    def spiking_accuracy(self) -> float:
        """The same with spiked attention."""
        return float((self.spiking_predicted == self.digits.test_labels).mean())

    @property
    def loss_points(self) -> float:
        """Accuracy that spikes cost, in percentage points; negative where they gain."""
        return 100 * (self.float_accuracy - self.spiking_accuracy)

    @property
    def engine_labels(self) -> NDArray[np.int64]:
        """Labels of the images of the engine under test, int64 [images]."""
        return self.digits.test_labels[self.chosen]

    @property
    def compared(self) -> int:
        """Integers of the engine under test compared with golden."""
        return sum(run.comparison.compared for run in self.runs)

    @property
    def different(self) -> int:
        """Integers that differ."""
        return sum(run.comparison.different for run in self.runs)

    @property
    def failures(self) -> list[str]:
        """One line per layer and kind of difference; empty when the job passed."""
        lines = []
        for run in self.runs:
            if run.comparison.first_difference is not None:
                lines.append(f"layer {run.layer}, {run.comparison.first_difference}")
            rows = np.argwhere(run.predicted.rows != run.measured.rows)
            if len(rows):
                head, row = (int(i) for i in rows[0])
                lines.append(
                    f"layer {run.layer}, head {head}, row {row}, completion cycle: "
                    f"predicted {run.predicted.rows[head, row]}, measured {run.measured.rows[head, row]}"
                )
        return lines

    @property
    def passed(self) -> bool:
        return not self.failures

    def to_json(self) -> dict[str, Any]:
        """Plain values: the report."""
        return {
            "seed": self.seed,
            "passed": self.passed,
            "failures": self.failures,
            "tools": tool_versions() | {name: version(name) for name in ("scikit-learn", "matplotlib")},
            "configuration": to_table(self.config),
            "network": {
                **sizes_of(self.network),
                "training": self.training,
            },
            "data": {
                "split_seed": dataset.SPLIT_SEED,
                "calibration_images": len(self.digits.train_images),
                "held_out_images": len(self.digits.test_images),
            },
            "accuracy": {
                "float": self.float_accuracy,
                "spiking": self.spiking_accuracy,
                "loss_points": self.loss_points,
                "changed_classes": int((self.float_predicted != self.spiking_predicted).sum()),
            },
            "engine": {
                "images": {
                    "index": self.chosen.tolist(),
                    "label": self.engine_labels.tolist(),
                    "predicted": self.engine_predicted.tolist(),
                },
                "accuracy": float((self.engine_predicted == self.engine_labels).mean()),
                "classes_unlike_golden": int(
                    (self.engine_predicted != self.spiking_predicted[self.chosen]).sum()
                ),
                "integers_compared": self.compared,
                "integers_different": self.different,
                "layers": [
                    {
                        "layer": run.layer,
                        "heads": run.job.heads,
                        "integers_compared": run.comparison.compared,
                        "integers_different": run.comparison.different,
                        "first_difference": run.comparison.first_difference,
                        "cycles_predicted": _cycles(run.predicted),
                        "cycles_measured": _cycles(run.measured),
                        "rows_unlike_prediction": int((run.predicted.rows != run.measured.rows).sum()),
                        **run.activity.to_json(),
                    }
                    for run in self.runs
                ],
            },
        }


def sizes_of(network: Vit) -> dict[str, int]:
    """Sizes of a network, by name."""
    block, head = network.blocks[0], network.head
    assert head is not None, "the network classifies"
    return {
        "side": network.side,
        "patch": network.patch,
        "width": len(network.norm.weight),
        "heads": block.heads,
        "layers": len(network.blocks),
        "hidden": len(block.mlp1.weight),
        "classes": len(head.weight),
    }


def _cycles(report: CycleReport) -> dict[str, Any]:
    """A cycle report without its rows, of which a whole test set has tens of thousands."""
    table = report.to_json()
    del table["rows"]
    return table
