"""Inputs of exactly so many tokens, made of the rows of a data set that are shorter."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from golden.errors import InputError
from models.files.text import load_tokenizer, tokenise
from models.floating.model import Model
from studies.data.phrases import read_phrases
from studies.data.tables import read_pairs

# First and last token of an input, which are no words
SPECIAL = 2


@dataclass(frozen=True, kw_only=True, eq=False)
class Rows:
    """Texts of a data set by row, one each or two, and what is known of them: classes int64 [rows], or the
    similarity of the two, float64 [rows]."""

    texts: list[tuple[str, ...]]
    truth: NDArray[Any]


@dataclass(frozen=True, kw_only=True, eq=False)
class Joined:
    """Token numbers of inputs that are joined of rows, [tokens] each, those of a pair one after the other;
    `truth` of each input or pair."""

    samples: list[NDArray[np.int64]]
    truth: NDArray[Any]


def read_rows(model: Model, path: Path) -> Rows:
    """The rows that a model is scored on: of a classifier labelled phrases, else pairs.

    Raises:
        InputError: see `read_phrases` and `read_pairs`.
    """
    if model.outputs == "logits":
        phrases = read_phrases(path)
        return Rows(texts=[(text,) for text in phrases.texts], truth=phrases.labels)
    pairs = read_pairs(path)
    return Rows(texts=list(pairs.sentences), truth=pairs.scores)


def join(rows: Rows, tokenizer: Path, tokens: int, count: int, rng: np.random.Generator) -> Joined:
    """Inputs, or pairs of them, of exactly `tokens` tokens.

    Rows follow each other in an input until it is long enough, and are cut there: phrases of one class, or
    pairs of the nearest scores, whose mean is that of the joined pair. No row is in two inputs.

    Args:
        count: of inputs, or pairs.
        rng: draws which.

    Raises:
        InputError: the rows make fewer.
    """
    reader = load_tokenizer(tokenizer)
    flat = [text for texts in rows.texts for text in texts]
    lengths = np.array([len(ids) - SPECIAL for ids in tokenise(reader, flat, 1 << 20)])
    lengths = lengths.reshape(len(rows.texts), -1)
    mixed = rng.permutation(len(rows.texts))
    order = mixed[np.argsort(rows.truth[mixed], kind="stable")]
    labelled = rows.truth.dtype.kind == "i"
    groups, members = list[list[int]](), list[int]()
    for row in order.tolist():
        if labelled and members and rows.truth[members[-1]] != rows.truth[row]:
            members = []
        members.append(row)
        if (lengths[members].sum(axis=0) >= tokens - SPECIAL).all():
            groups.append(members)
            members = []
    if len(groups) < count:
        raise InputError(f"rows make {len(groups)} inputs of {tokens} tokens, {count} are needed")
    chosen = [groups[n] for n in rng.choice(len(groups), count, replace=False)]
    texts = [
        " ".join(part) for group in chosen for part in zip(*(rows.texts[row] for row in group), strict=True)
    ]
    samples = [np.array(ids) for ids in tokenise(reader, texts, tokens)]
    truth = np.array([rows.truth[group].mean() for group in chosen]).astype(rows.truth.dtype)
    return Joined(samples=samples, truth=truth)
