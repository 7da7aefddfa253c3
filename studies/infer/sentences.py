"""Sentences for a converted text encoder: where they come from, and what it makes of them."""

from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from golden.code import Spikes, check_range
from golden.errors import InputError, quoted
from golden.network.layers import ScoreLinear
from golden.network.limits import MAX_TOKENS
from golden.network.network import Network
from golden.network.rearrange import in_pieces, side_by_side
from models.conversion.network import IntegerModel
from models.conversion.store import TOKENIZER, Stored
from models.floating.engine import FloatEngine
from models.floating.model import Model
from sim.cores.network.core import NetworkJob
from studies.evaluate.samples import check_samples, held_out, sentence_samples, texts_of
from studies.infer.cases import stored_network

GOLDEN_SENTENCES, RTL_SENTENCES = 20, 2
Vectors = NDArray[np.float64]
# Of a core of which no sentences are known
RANDOM_SENTENCES = 3


def is_of_sentences(stored: Stored) -> bool:
    """Whether a converted model takes sentences, not images."""
    return stored.model.samples.kind == "sentences"


@dataclass(frozen=True, eq=False)
class Sentences:
    """A converted model of sentences, and sentences that it is given.

    Attributes:
        name: of the folder.
        model: in floats; made: in integers.
        network: of as many rows as the core has.
        texts: the sentences; samples: their token numbers.
        rtl: how many of them go through the RTL where no one says it.
        beside: sentences of an inference, side by side; of more than one each has all tokens.
    """

    name: str
    model: Model
    made: IntegerModel
    network: Network
    texts: list[str]
    samples: list[NDArray[np.int64]]
    rtl: int
    beside: int = 1

    @cached_property
    def runs(self) -> Network:
        """What the core runs."""
        return self.network if self.beside == 1 else side_by_side(self.network, self.beside)

    def job(self, chosen: list[int]) -> NetworkJob:
        """Load the network, then some of the sentences, each with its number of tokens."""
        if self.beside > 1:
            rows = np.concatenate([self.enters(n)[0] for n in chosen])
            return NetworkJob(
                network=self.runs, load=True, image=rows.reshape(-1, self.runs.tokens, self.runs.width)
            )
        counts = np.array([len(self.samples[n]) for n in chosen])
        image = np.zeros((len(chosen), self.network.tokens, self.network.width), np.int64)
        for row, n in enumerate(chosen):
            image[row, : counts[row]] = self.enters(n)[0]
        return NetworkJob(network=self.network, load=True, image=image, tokens=counts)

    def enters(self, number: int) -> NDArray[np.int64]:
        """What enters the network for a sentence, [1, tokens, width]: its tokens embedded, in integers."""
        entry = self.made.encode(self.model, self.samples[number][None])
        assert not isinstance(entry, Spikes), "embedded tokens are integers of the stream"
        return entry

    def apart(self, scores: NDArray[np.int64]) -> NDArray[np.int64]:
        """Scores [sentences, ...] of the scores of inferences."""
        if self.beside == 1:
            return scores
        rows = scores.reshape(len(scores) * self.beside, -1, self.network.classes)
        last = self.network.layers[-1]
        return rows.sum(axis=1) + last.bias if isinstance(last, ScoreLinear) and last.pooled else rows

    def vector(self, number: int, scores: NDArray[np.int64]) -> Vectors:
        """Output [n] of the scores of a sentence, those of its rows where each row has some."""
        tokens = len(self.samples[number])
        there = scores if scores.ndim == 1 else scores[:tokens]
        return self.made.outputs(there[None], tokens)[0].reshape(-1)

    def floats(self, number: int) -> Vectors:
        """The same of the float model."""
        return np.asarray(self.model.run(self.samples[number][None], FloatEngine())[0], float).reshape(-1)

    def golden(self, number: int) -> Vectors:
        """The same of the integers, as `onespike evaluate` scores them."""
        return self.made.run(self.model, self.samples[number][None])[0].reshape(-1)


def load_sentences(
    name: str,
    stored: Stored,
    texts: list[str],
    data: Path | None,
    count: int | None = None,
    tokens: int | None = None,
    seed: int = 0,
    pieces: int | None = None,
    beside: int = 1,
) -> Sentences:
    """Sentences for what `onespike convert` wrote.

    Args:
        name: its folder; stored: what is in it.
        texts: the sentences, or none, and
        data: a file that holds them (`studies.evaluate.samples.texts_of`). Of the rows that did not set the
            scales, `count` sentences are drawn; `GOLDEN_SENTENCES` when absent, or fewer if there are fewer.
        tokens: rows of the core; longer sentences of a file are not drawn. Those of the longest sentence
            when absent.
        seed: chooses sentences of a file.
        pieces: most neurons of a hidden layer (`golden.network.rearrange.in_pieces`); None for any.
        beside: as in `Sentences`; sentences of a file that are shorter are not drawn.

    Raises:
        InputError: no sentence, or one that is too long; texts and a file, or neither.
    """
    network = stored_network(name, stored)
    made, model, tokenizer = stored.conversion.network, stored.model, Path(name) / TOKENIZER
    assert made is not None, "stored_network holds that"
    if pieces is not None:
        made = replace(made, network=in_pieces(network, pieces))
    if bool(texts) == (data is not None):
        given = "both" if texts else "neither"
        raise InputError(f"{name}: sentences come from --text or the file --data, not from {given}")
    check_range("--tokens", network.tokens if tokens is None else tokens, 1, network.tokens)
    check_range("--side-by-side", beside, 1, MAX_TOKENS // (tokens or 1))
    most = network.tokens if tokens is None else tokens
    if data is None:
        if count is not None:
            raise InputError(f"--images draws from --data, --text is all there is, not {count}")
        samples = sentence_samples(model, tokenizer, texts)
        if beside > 1:
            check_beside(texts, samples, tokens, beside)
        for text, sample in zip(texts, samples, strict=True):
            if len(sample) > most:
                raise InputError(f"--text {quoted(text)}: must have at most {most} tokens, not {len(sample)}")
    else:
        lines, labels = texts_of(model, data)
        found = [text for row in held_out(data, len(lines), stored.calibration) for text in lines[row]]
        tried = sentence_samples(model, tokenizer, found)
        check_samples(model, data, tried[:1], labels)
        least = most if beside > 1 else 1
        fitting = [n for n, sample in enumerate(tried) if least <= len(sample) <= most]
        if len(fitting) < beside:
            size = (
                f"no sentence of at most {most}"
                if beside == 1
                else f"no {beside} sentences of exactly {most}"
            )
            raise InputError(f"{data}: holds {size} tokens")
        count = min(GOLDEN_SENTENCES, len(fitting)) // beside * beside if count is None else count
        check_range("--images", count, beside, len(fitting))
        if count % beside:
            raise InputError(f"--images must be a multiple of --side-by-side {beside}, not {count}")
        drawn = np.sort(np.random.default_rng(seed).choice(fitting, count, replace=False))
        texts, samples = [found[n] for n in drawn], [tried[n] for n in drawn]
    rows = max(len(sample) for sample in samples) if tokens is None else tokens
    rtl = len(texts) if data is None else min(max(RTL_SENTENCES, beside), len(texts)) // beside * beside
    return Sentences(name, model, made, made.of_rows(rows), texts, samples, rtl, beside)


def check_beside(texts: list[str], samples: list[NDArray[np.int64]], tokens: int | None, beside: int) -> None:
    """Raise InputError unless texts fill inferences of `beside` sentences of all `tokens`."""
    if len(texts) % beside:
        raise InputError(f"--text must come in multiples of --side-by-side {beside}, not {len(texts)} times")
    wanted = len(samples[0]) if tokens is None else tokens
    for text, sample in zip(texts, samples, strict=True):
        if len(sample) != wanted:
            raise InputError(
                f"--text {quoted(text)}: must have {wanted} tokens like all that are side by side, "
                f"not {len(sample)}"
            )


def sample_sentences(
    name: str, stored: Stored, data: Path | None, tokens: int | None, pieces: int | None = None
) -> Sentences:
    """Sentences for the cycle model: those of a file as `load_sentences` draws them, or as many tokens as the
    core has rows, drawn at random from the vocabulary.

    Raises:
        InputError: see `load_sentences`.
    """
    if data is not None:
        return load_sentences(name, stored, [], data, tokens=tokens, pieces=pieces)
    network, model, made = stored_network(name, stored), stored.model, stored.conversion.network
    assert made is not None, "stored_network holds that"
    if pieces is not None:
        made = replace(made, network=in_pieces(made.network, pieces))
    check_range("--tokens", network.tokens if tokens is None else tokens, 1, network.tokens)
    rows, expected = network.tokens if tokens is None else tokens, model.samples
    known = [number for number in range(expected.vocabulary) if number != expected.padding]
    samples = [*np.random.default_rng(0).choice(known, (RANDOM_SENTENCES, rows))]
    return Sentences(name, model, made, made.of_rows(rows), [], samples, 0)
