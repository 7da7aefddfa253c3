"""Data sets as users have them: sentence pairs with scores, labelled images."""

import csv
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from golden.errors import InputError, quoted
from golden.inputs import check_array
from golden.npz import read_npz


@dataclass(frozen=True, kw_only=True)
class Pairs:
    """Sentence pairs and their similarity scores, float64 [pairs]."""

    sentences: list[tuple[str, str]]
    scores: NDArray[np.float64]


@dataclass(frozen=True, kw_only=True)
class Labelled:
    """Inputs of a classifier, [samples, ...], and their classes, int64 [samples]."""

    inputs: NDArray[Any]
    labels: NDArray[np.int64]


def read_rows(path: Path) -> list[list[str]]:
    """Rows of a .csv, or of a .tsv split at tabs."""
    try:
        with path.open(encoding="utf-8", newline="") as file:
            rows = [row for row in csv.reader(file, delimiter="\t" if path.suffix == ".tsv" else ",") if row]
    except OSError as error:
        raise InputError(f"{path}: cannot be read ({error.strerror or error})") from None
    except (UnicodeDecodeError, csv.Error) as error:
        raise InputError(f"{path}: not readable as UTF-8 text in columns ({error})") from None
    if not rows:
        raise InputError(f"{path}: the data set is empty")
    return rows


def read_pairs(path: Path) -> Pairs:
    """sentence1, sentence2, score per row, no header (the form of STS-B).

    Raises:
        InputError: unreadable, empty, a row without three columns, a score that is no number.
    """
    sentences, scores = [], []
    for number, row in enumerate(read_rows(path), start=1):
        if len(row) != 3:
            raise InputError(
                f"{path}: row {number} must have 3 columns (sentence, sentence, score), not {len(row)}"
            )
        try:
            score = float(row[2])
        except ValueError:
            raise InputError(
                f"{path}: score in row {number} must be a number, not {quoted(row[2])}"
            ) from None
        if not np.isfinite(score):
            raise InputError(f"{path}: score in row {number} must be finite, not {quoted(row[2])}")
        sentences.append((row[0], row[1]))
        scores.append(score)
    return Pairs(sentences=sentences, scores=np.array(scores))


def read_sentences(path: Path) -> list[tuple[str, ...]]:
    """Rows of sentences for calibration: lines of a .txt, or pairs of a .csv or .tsv."""
    if path.suffix in (".csv", ".tsv"):
        return list(read_pairs(path).sentences)
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except OSError as error:
        raise InputError(f"{path}: cannot be read ({error.strerror or error})") from None
    except UnicodeDecodeError:
        raise InputError(
            f"{path}: must be sentences: UTF-8 text, one a line, or a .csv or .tsv of pairs; it is no text"
        ) from None
    sentences: list[tuple[str, ...]] = [(line.strip(),) for line in lines if line.strip()]
    if not sentences:
        raise InputError(f"{path}: the data set is empty")
    return sentences


def read_inputs(path: Path) -> NDArray[np.float32]:
    """`inputs` of an .npz: images [samples, channels, height, width] or vectors [samples, tokens, dim]."""
    arrays = read_npz(path)
    if "inputs" not in arrays:
        raise InputError(f"{path}: must hold an array named inputs; it holds {', '.join(arrays) or 'none'}")
    unknown = [name for name in arrays if name not in ("inputs", "labels")]
    if unknown:
        raise InputError(
            f"{path}: must hold inputs and, if any, labels; {', '.join(unknown)[:80]} is not followed"
        )
    try:
        return check_array("inputs", arrays["inputs"], (3, 4)).astype(np.float32)
    except InputError as error:
        raise InputError(f"{path}: {error}") from None


def read_labelled(path: Path) -> Labelled:
    """`inputs` as above and integer `labels` [samples] of an .npz."""
    inputs = read_inputs(path)
    labels = read_npz(path).get("labels")
    if labels is None:
        raise InputError(f"{path}: must hold an array named labels")
    if labels.dtype.kind not in "iu" or labels.shape != (len(inputs),):
        raise InputError(
            f"{path}: labels must be {len(inputs)} integers, not {labels.dtype} {list(labels.shape)}"
        )
    return Labelled(inputs=inputs, labels=labels.astype(np.int64))
