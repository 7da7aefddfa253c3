"""Samples in the form a model takes: token numbers, images or vectors."""

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from golden.conversion.layouts import Model
from golden.conversion.run import run
from golden.conversion.text import DEFAULT_LENGTH, load_tokenizer, tokenise
from golden.errors import InputError
from golden.models.bert import Bert
from golden.models.engine import FloatEngine
from golden.models.torch_encoder import TorchEncoder
from sim.evaluate.data import read_inputs, read_sentences


def sentence_samples(model: Bert, tokenizer: Path, sentences: list[str]) -> list[NDArray[np.int64]]:
    """Token numbers of each sentence, cut to what the model's positions hold."""
    length = min(DEFAULT_LENGTH, len(model.positions))
    numbers = tokenise(load_tokenizer(tokenizer), sentences, length)
    for sentence, ids in zip(sentences, numbers, strict=True):
        if not ids or max(ids) >= len(model.words):
            raise InputError(
                f"{tokenizer}: must fit the model's vocabulary of {len(model.words)}, not give "
                f"{max(ids, default='nothing')} for {sentence!r}"
            )
    return [np.array(ids) for ids in numbers]


def calibration_samples(model: Model, path: Path, tokenizer: Path, count: int) -> list[NDArray[Any]]:
    """The first `count` samples of a file, each with a batch axis of one.

    Raises:
        InputError: unreadable or empty file, or samples that the model cannot take.
    """
    samples: list[NDArray[Any]]
    if isinstance(model, Bert):
        samples = list(sentence_samples(model, tokenizer, read_sentences(path)[:count]))
    else:
        samples = list(read_inputs(path)[:count])
    check_samples(model, path, samples)
    return [sample[None] for sample in samples]


def check_samples(model: Model, path: Path, samples: list[NDArray[Any]]) -> None:
    """Refuse inputs that the model cannot take, by running the first one in floats."""
    if not isinstance(model, Bert):
        wanted = 2 if isinstance(model, TorchEncoder) else 3
        if samples[0].ndim != wanted:
            kind = "vectors [samples, tokens, dim]" if wanted == 2 else "images [samples, channels, h, w]"
            raise InputError(f"{path}: inputs must be {kind}, not of shape [..., {samples[0].shape}]")
    try:
        run(model, samples[0][None], FloatEngine())
    except InputError as error:
        raise InputError(f"{path}: {error}") from None
    except (ValueError, IndexError):
        raise InputError(
            f"{path}: inputs of shape {list(samples[0].shape)} do not fit the model's weights"
        ) from None
