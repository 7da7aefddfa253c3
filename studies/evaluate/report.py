"""The report of an evaluation: score of each mode, loss against floats, cosine, spike statistics.

What is not defined, as the correlation of scores that are all equal, is None.
"""

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

import numpy as np
from numpy.typing import NDArray

from studies.evaluate.metrics import Estimate, accuracy, bootstrap, cosine, defined, spearman
from studies.evaluate.work import Outputs

# Modes whose mean loss is estimated too
Groups = Sequence[Sequence[str]]


def sts_report(
    outputs: Mapping[str, Outputs], scores: NDArray[np.float64], seed: int, groups: Groups = ()
) -> dict[str, Any]:
    """Spearman x 100 of the similarity of pairs; `values` are [2*pairs, dim], the two sentences adjacent."""
    vectors = {mode: o.values.reshape(len(scores), 2, -1) for mode, o in outputs.items()}
    similarity = {mode: cosine(v[:, 0], v[:, 1]) for mode, v in vectors.items()}

    def statistic(where: NDArray[np.intp]) -> NDArray[np.float64]:
        return np.array([spearman(s[where], scores[where]) for s in similarity.values()])

    return assemble("Spearman x 100", statistic, outputs, groups, len(scores), seed)


def label_report(
    outputs: Mapping[str, Outputs], labels: NDArray[np.int64], seed: int, groups: Groups = ()
) -> dict[str, Any]:
    """Accuracy in percent; `values` are logits [samples, classes]."""
    right = {mode: (o.values.argmax(axis=-1) == labels).astype(np.float64) for mode, o in outputs.items()}

    def statistic(where: NDArray[np.intp]) -> NDArray[np.float64]:
        return np.array([accuracy(r[where]) for r in right.values()])

    return assemble("accuracy, %", statistic, outputs, groups, len(labels), seed)


def vector_report(
    outputs: Mapping[str, Outputs], samples: int, seed: int, groups: Groups = ()
) -> dict[str, Any]:
    """Mean cosine x 100 with the float outputs, for models whose outputs no task scores."""
    flat = {mode: o.values.reshape(samples, -1) for mode, o in outputs.items()}
    reference = next(iter(flat.values()))
    angle = {mode: 100 * cosine(values, reference) for mode, values in flat.items()}

    def statistic(where: NDArray[np.intp]) -> NDArray[np.float64]:
        return np.array([a[where].mean() for a in angle.values()])

    return assemble("cosine with floats x 100", statistic, outputs, groups, samples, seed)


def assemble(
    metric: str, statistic: Any, outputs: Mapping[str, Outputs], groups: Groups, samples: int, seed: int
) -> dict[str, Any]:
    modes = list(outputs)
    members = [[modes.index(mode) for mode in group] for group in groups]

    def with_losses(where: NDArray[np.intp]) -> NDArray[np.float64]:
        values = statistic(where)
        means = [values[0] - values[group].mean() for group in members]
        return np.concatenate([values, values[0] - values[1:], means])

    estimates = bootstrap(with_losses, samples, seed)
    reference = outputs[modes[0]].values
    report: dict[str, Any] = {"metric": metric, "samples": samples, "seed": seed, "modes": {}}
    for index, mode in enumerate(modes):
        entry: dict[str, Any] = {"score": asdict(estimates[index])}
        if index:
            loss: Estimate = estimates[len(modes) + index - 1]
            angle = cosine(outputs[mode].values, reference)
            entry["loss"] = asdict(loss)
            entry["cosine"] = {"mean": defined(angle.mean()), "min": defined(angle.min())}
            entry["activity"] = {
                name: {"neurons": a.neurons, "spikes": a.spikes, "density": a.density, "steps": a.steps}
                for name, a in outputs[mode].activity.items()
            }
        report["modes"][mode] = entry
    if groups:
        means = estimates[2 * len(modes) - 1 :]
        report["means"] = [asdict(mean) for mean in means]
    return report
