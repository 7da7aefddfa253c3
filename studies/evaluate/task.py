"""What a data set asks of a model: samples, and how the outputs are scored."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from models.floating.model import Model
from studies.data.phrases import read_phrases
from studies.data.tables import (
    read_inputs,
    read_labelled,
    read_pairs,
    read_sentences,
)
from studies.evaluate.report import label_report, sts_report, vector_report
from studies.evaluate.samples import check_samples, held_out, sentence_samples


@dataclass(frozen=True, kw_only=True)
class Task:
    """Samples without a batch axis, and the report of outputs by mode (`studies.evaluate.report`)."""

    samples: list[NDArray[Any]]
    report: Callable[..., dict[str, Any]]


def task_of(
    model: Model, data: Path, tokenizer: Path, origin: dict[str, Any], limit: int | None, seed: int
) -> Task:
    """The task of a file of the form that the model's inputs and outputs want.

    Args:
        model: the model.
        data: pairs of sentences with scores, sentences or inputs with classes, or either alone.
        tokenizer: tokenizer.json of a model of sentences.
        origin: rows that set the scales, which are left out; `Calibration.origin`.
        limit: the most rows, all when absent.
        seed: of the bootstrap.

    Raises:
        InputError: unreadable or empty file, no row left, samples that the model cannot take.
    """

    def rows_of(total: int) -> list[int]:
        return held_out(data, total, origin)[:limit]

    def tokens(sentences: list[str]) -> list[NDArray[Any]]:
        return list(sentence_samples(model, tokenizer, sentences))

    samples: list[NDArray[Any]]
    labels: NDArray[np.int64] | None = None
    report: Callable[..., dict[str, Any]]
    match model.samples.kind, model.outputs:
        case "sentences", "embeddings":
            pairs = read_pairs(data)
            rows = rows_of(len(pairs.scores))
            samples = tokens([text for row in rows for text in pairs.sentences[row]])
            report = partial(sts_report, scores=pairs.scores[rows], seed=seed)
        case "sentences", "logits":
            phrases = read_phrases(data)
            rows = rows_of(len(phrases.labels))
            samples, labels = tokens([phrases.texts[row] for row in rows]), phrases.labels[rows]
            report = partial(label_report, labels=labels, seed=seed)
        case "sentences", _:
            lines = read_sentences(data)
            samples = tokens([text for row in rows_of(len(lines)) for text in lines[row]])
            report = partial(vector_report, samples=len(samples), seed=seed)
        case _, "logits":
            labelled = read_labelled(data)
            rows = rows_of(len(labelled.labels))
            samples, labels = list(labelled.inputs[rows]), labelled.labels[rows]
            report = partial(label_report, labels=labels, seed=seed)
        case _:
            inputs = read_inputs(data)
            samples = [inputs[row] for row in rows_of(len(inputs))]
            report = partial(vector_report, samples=len(samples), seed=seed)
    check_samples(model, data, samples, labels)
    return Task(samples=samples, report=report)
