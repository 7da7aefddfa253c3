"""Sentences through a converted text encoder: in golden and in the RTL, beside the float model."""

from dataclasses import asdict, dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from energy.ledger import Ledger
from energy.network import account_by_layer
from golden.code import Spikes, check_range
from golden.errors import InputError, quoted
from golden.network.limits import MAX_TOKENS
from golden.network.network import Network
from golden.network.program import check_fit
from golden.network.rearrange import in_pieces, side_by_side
from models.conversion.network import IntegerModel
from models.conversion.store import TOKENIZER, Stored
from models.floating.engine import FloatEngine
from models.floating.model import Model
from sim.cores.network.core import NetworkJob, WholeNetworkCore
from studies.boards.throughput import IMAGES, network_throughput
from studies.evaluate.metrics import cosine, defined
from studies.evaluate.samples import held_out, sentence_samples, texts_of
from studies.infer.cases import stored_network
from studies.infer.cores import sized_core
from studies.infer.evaluate import Progress
from studies.infer.hardware import BoardImages, NetworkBoard, through_board, through_rtl
from studies.infer.report import Found

GOLDEN_SENTENCES, RTL_SENTENCES, ENERGY_SENTENCES = 20, 2, 20
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
        return rows.sum(axis=1) if len(self.network.shapes().scores) == 1 else rows

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
        lines = texts_of(model, data)
        found = [text for row in held_out(data, len(lines), stored.calibration) for text in lines[row]]
        tried = sentence_samples(model, tokenizer, found)
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


def sample_sentences(name: str, stored: Stored, data: Path | None, tokens: int | None) -> Sentences:
    """Sentences for the cycle model: those of a file as `load_sentences` draws them, or as many tokens as the
    core has rows, drawn at random from the vocabulary.

    Raises:
        InputError: see `load_sentences`.
    """
    if data is not None:
        return load_sentences(name, stored, [], data, tokens=tokens)
    network, model, made = stored_network(name, stored), stored.model, stored.conversion.network
    assert made is not None, "stored_network holds that"
    check_range("--tokens", network.tokens if tokens is None else tokens, 1, network.tokens)
    rows, expected = network.tokens if tokens is None else tokens, model.samples
    known = [number for number in range(expected.vocabulary) if number != expected.padding]
    samples = [*np.random.default_rng(0).choice(known, (RANDOM_SENTENCES, rows))]
    return Sentences(name, model, made, made.of_rows(rows), [], samples, 0)


@dataclass(frozen=True, kw_only=True, eq=False)
class Encodings(Found):
    """What a run of `infer` found of sentences; cosines are to the vectors of the float model.

    Attributes:
        case: what ran.
        cosines: of golden, float64 [sentences].
        through: numbers of the sentences that went through the RTL or board; through_cosines: theirs.
        board: None when no sentence went through one.
        alike: where there are two sentences, the cosine of their vectors by the float model and by golden.
    """

    case: Sentences
    cosines: Vectors
    through: list[int]
    through_cosines: Vectors
    board: BoardImages | None
    alike: dict[str, float | None]
    noun: ClassVar[str] = "sentences"

    @property
    def name(self) -> str:
        return self.case.name

    @property
    def network(self) -> Network:
        return self.case.runs

    @property
    def first(self) -> str:
        if self.case.beside > 1:
            return f"{self.case.beside} sentences of {len(self.case.samples[0])} tokens side by side"
        return f"a sentence of {len(self.case.samples[0])} tokens, room for {self.network.tokens}"

    @property
    def failures(self) -> list[str]:
        return super().failures + ([] if self.board is None else self.board.failures)

    def to_json(self) -> dict[str, Any]:
        report, seen = super().to_json(), dict(zip(self.through, self.through_cosines, strict=True))
        hardware = "board" if self.board is not None else "rtl"
        report["network"] |= {"channels": self.network.width, "outputs": self.network.classes}
        sentences = [
            {
                "text": text,
                "tokens": len(sample),
                "cosine": defined(cos),
                f"{hardware}_cosine": defined(seen[n]) if n in seen else None,
            }
            for n, (text, sample, cos) in enumerate(
                zip(self.case.texts, self.case.samples, self.cosines.tolist(), strict=True)
            )
        ]
        return report | {
            "sentences": sentences,
            "side_by_side": self.case.beside,
            "alike": self.alike,
            **{
                name: None if ran is None else {"index": self.through} | asdict(ran)
                for name, ran in (("rtl", self.rtl), ("board", self.board))
            },
        }


def encode(
    case: Sentences,
    *,
    rtl: int | None = None,
    lanes: int | None = None,
    board: NetworkBoard | None = None,
    streamed: bool = False,
    seed: int = 0,
    clock_mhz: float | None = None,
    progress: Progress = lambda part, share: None,
) -> Encodings:
    """Run sentences in floats, in golden, and some in the RTL or on a board.

    Args:
        rtl: how many go through the RTL too; see `Sentences.rtl`.
        lanes, streamed: of the core, see `studies.infer.cores.sized_core`.
        board: an open board that takes the place of the simulated RTL, with a core of its own size.
        seed: chooses them.
        clock_mhz: at which inferences per second are wanted; see `studies.boards.throughput`.
        progress: told how far the job is.

    Raises:
        InputError: a number out of range, a network that the hardware cannot run.
        LinkError: the board stopped answering.
    """
    total = len(case.texts)
    rtl = case.rtl if rtl is None else rtl
    check_range("--rtl", rtl, 0, total)
    if rtl % case.beside:
        raise InputError(f"--rtl must be a multiple of --side-by-side {case.beside}, not {rtl}")
    if board is not None:
        check_fit(case.runs, board.config)
        board.core.check(case.job([]))
        core = WholeNetworkCore(board.config)
    else:
        core = sized_core(case.runs, lanes, streamed=streamed, token_counts=case.beside == 1)
    config = core.config
    groups = np.random.default_rng(seed).choice(total // case.beside, rtl // case.beside, replace=False)
    through = (np.sort(groups)[:, None] * case.beside + np.arange(case.beside)).reshape(-1).tolist()
    floats, golden = [], []
    for n in range(total):
        progress(f"{total} sentences through golden", n / total)
        floats.append(case.floats(n))
        golden.append(case.golden(n))
    found, on_board, cosines = None, None, np.zeros(0)
    if rtl:
        if board is not None:
            on_board, inferred = through_board(board, case.job(through), progress)
        else:
            found, inferred = through_rtl(case.job(through), core, progress)
        scores = case.apart(inferred)
        cosines = np.array(
            [float(cosine(case.vector(n, s), floats[n])) for n, s in zip(through, scores, strict=True)]
        )
    progress("count events, draw the timeline", 1.0)
    pairs = {"float": floats, "golden": golden} if total == 2 else {}
    alike = {name: defined(float(cosine(*pair))) for name, pair in pairs.items()}
    layers = [(Ledger(), Ledger())] * len(case.network.layers)
    counted = min(ENERGY_SENTENCES, total)
    for n in range(counted):
        events = account_by_layer(case.made.of_rows(len(case.samples[n])), config, case.enters(n))
        layers = [(a + c, b + d) for (a, b), (c, d) in zip(layers, events, strict=True)]
    first = case.job(list(range(case.beside)))
    assert first.image is not None
    return Encodings(
        case=case,
        seed=seed,
        config=config,
        cosines=np.array([float(cosine(a, b)) for a, b in zip(golden, floats, strict=True)]),
        through=through,
        through_cosines=cosines,
        rtl=found,
        board=on_board,
        alike=alike,
        counted=counted,
        layers=layers,
        times=core.times(replace(first, load=False)),
        throughput=None
        if clock_mhz is None
        else network_throughput(
            core, case.job(list(range(min(IMAGES, total) // case.beside * case.beside))), clock_mhz
        ),
    )
