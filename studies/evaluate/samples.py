"""Samples in the form a model takes: token numbers, images or vectors."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from golden.errors import InputError, quoted
from models.conversion.store import checksum
from models.files.text import load_tokenizer, tokenise
from models.floating.engine import FloatEngine
from models.floating.model import Model
from studies.data.phrases import read_phrases
from studies.data.tables import read_inputs, read_sentences


def sentence_samples(model: Model, tokenizer: Path, sentences: list[str]) -> list[NDArray[np.int64]]:
    """Token numbers of each sentence, cut to the model's length."""
    expected = model.samples
    numbers = tokenise(load_tokenizer(tokenizer), sentences, expected.length)
    for sentence, ids in zip(sentences, numbers, strict=True):
        if not ids or max(ids) >= expected.vocabulary:
            raise InputError(
                f"{tokenizer}: must fit the model's vocabulary of {expected.vocabulary}, not give "
                f"{max(ids, default='nothing')} for {quoted(sentence)}"
            )
        if expected.padding in ids:
            raise InputError(
                f"{tokenizer}: gives the padding token for {quoted(sentence)}, which has no position"
            )
    return [np.array(ids) for ids in numbers]


@dataclass(frozen=True, kw_only=True)
class Calibration:
    """Samples that set the scales.

    Attributes:
        samples: inputs with a batch axis of one.
        origin: checksum of the file and the rows taken from it, so that an evaluation on the same
            file leaves them out.
    """

    samples: list[NDArray[Any]]
    origin: dict[str, Any]


def calibration_samples(model: Model, path: Path, tokenizer: Path, count: int, seed: int) -> Calibration:
    """At most `count` rows of a file, drawn at random: ranges of the first rows may not be typical.

    Raises:
        InputError: unreadable or empty file, or samples that the model cannot take.
    """
    rng = np.random.default_rng(seed)
    samples: list[NDArray[Any]]
    labels = None
    if model.samples.kind == "sentences":
        texts, labels = texts_of(model, path)
        rows = draw(rng, len(texts), count)
        samples = list(sentence_samples(model, tokenizer, [text for row in rows for text in texts[row]]))
    else:
        inputs = read_inputs(path)
        rows = draw(rng, len(inputs), count)
        samples = [inputs[row] for row in rows]
        if all(np.ptp(sample) == 0 for sample in samples):
            raise InputError(
                f"{path}: calibration samples must not all be constant, no scale can be taken from them"
            )
    check_samples(model, path, samples, labels)
    return Calibration(
        samples=[sample[None] for sample in samples],
        origin={"sha256": checksum(path), "rows": rows, "seed": seed},
    )


def texts_of(model: Model, path: Path) -> tuple[list[tuple[str, ...]], NDArray[np.int64] | None]:
    """Rows of sentences of a file, and their labels if it has some.

    They are labelled phrases for a classifier, else see `read_sentences`.
    """
    # Pairs of a .csv train no classifier
    if model.outputs != "logits" or path.suffix == ".txt":
        return read_sentences(path), None
    phrases = read_phrases(path)
    return [(text,) for text in phrases.texts], phrases.labels


def draw(rng: np.random.Generator, total: int, count: int) -> list[int]:
    return sorted(int(row) for row in rng.choice(total, size=min(count, total), replace=False))


def held_out(path: Path, total: int, origin: dict[str, Any]) -> list[int]:
    """Rows of a file that did not set the scales.

    Raises:
        InputError: none is left.
    """
    used = set(origin["rows"]) if origin and origin["sha256"] == checksum(path) else set()
    rows = [row for row in range(total) if row not in used]
    if not rows:
        raise InputError(f"{path}: no samples left, all {total} were used for calibration")
    return rows


def check_samples(
    model: Model, path: Path, samples: list[NDArray[Any]], labels: NDArray[np.int64] | None = None
) -> None:
    """Refuse inputs that the model cannot take, by running the first one in floats, and unknown classes."""
    expected = model.samples
    if samples[0].ndim != len(expected.axes):
        kind = f"{expected.kind} [{', '.join(expected.axes)}]"
        raise InputError(f"{path}: each of inputs must be {kind}, not {list(samples[0].shape)}")
    try:
        outputs = model.run(samples[0][None], FloatEngine())
    except InputError as error:
        raise InputError(f"{path}: {error}") from None
    except (ValueError, IndexError):
        raise InputError(
            f"{path}: inputs of shape {list(samples[0].shape)} do not fit the model's weights"
        ) from None
    classes = outputs.shape[-1]
    if labels is not None and not ((labels >= 0) & (labels < classes)).all():
        wrong = labels[(labels < 0) | (labels >= classes)][0]
        raise InputError(f"{path}: labels must be in 0..{classes - 1}, the model's classes, not {wrong}")
