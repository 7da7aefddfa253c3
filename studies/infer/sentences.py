"""Sentences through a converted text encoder: in golden and in the RTL, beside the float model."""

from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from energy.ledger import Ledger
from energy.network import account_by_layer
from golden.code import Spikes, check_range
from golden.errors import InputError, quoted
from golden.network.network import Network
from golden.network.rearrange import in_pieces
from models.conversion.network import IntegerModel
from models.conversion.store import TOKENIZER, Stored
from models.floating.engine import FloatEngine
from models.floating.model import Model
from sim.cores.network.core import NetworkJob
from studies.boards.throughput import IMAGES, network_throughput
from studies.evaluate.metrics import cosine, defined
from studies.evaluate.samples import held_out, sentence_samples, texts_of
from studies.infer.cases import stored_network
from studies.infer.cores import sized_core
from studies.infer.evaluate import Progress
from studies.infer.hardware import through_rtl
from studies.infer.report import Found

GOLDEN_SENTENCES, RTL_SENTENCES, ENERGY_SENTENCES = 20, 2, 20
Vectors = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Sentences:
    """A converted model of sentences, and sentences that it is given.

    Attributes:
        name: of the folder.
        model: in floats; made: in integers.
        network: of as many rows as the core has.
        texts: the sentences; samples: their token numbers.
        rtl: how many of them go through the RTL where no one says it.
    """

    name: str
    model: Model
    made: IntegerModel
    network: Network
    texts: list[str]
    samples: list[NDArray[np.int64]]
    rtl: int

    def job(self, chosen: list[int]) -> NetworkJob:
        """Load the network, then some of the sentences, each with its number of tokens."""
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
    most = network.tokens if tokens is None else tokens
    if data is None:
        if count is not None:
            raise InputError(f"--images draws from --data, --text is all there is, not {count}")
        samples = sentence_samples(model, tokenizer, texts)
        for text, sample in zip(texts, samples, strict=True):
            if len(sample) > most:
                raise InputError(f"--text {quoted(text)}: must have at most {most} tokens, not {len(sample)}")
    else:
        lines = texts_of(model, data)
        found = [text for row in held_out(data, len(lines), stored.calibration) for text in lines[row]]
        tried = sentence_samples(model, tokenizer, found)
        fitting = [n for n, sample in enumerate(tried) if len(sample) <= most]
        if not fitting:
            raise InputError(f"{data}: holds no sentence of at most {most} tokens")
        count = min(GOLDEN_SENTENCES, len(fitting)) if count is None else count
        check_range("--images", count, 1, len(fitting))
        drawn = np.sort(np.random.default_rng(seed).choice(fitting, count, replace=False))
        texts, samples = [found[n] for n in drawn], [tried[n] for n in drawn]
    rows = max(len(sample) for sample in samples) if tokens is None else tokens
    rtl = len(texts) if data is None else min(RTL_SENTENCES, len(texts))
    return Sentences(name, model, made, made.of_rows(rows), texts, samples, rtl)


@dataclass(frozen=True, kw_only=True, eq=False)
class Encodings(Found):
    """What a run of `infer` found of sentences; cosines are to the vectors of the float model.

    Attributes:
        case: what ran.
        cosines: of golden, float64 [sentences].
        through: numbers of the sentences that went through the RTL; rtl_cosines: theirs.
        alike: where there are two sentences, the cosine of their vectors by the float model and by golden.
    """

    case: Sentences
    cosines: Vectors
    through: list[int]
    rtl_cosines: Vectors
    alike: dict[str, float | None]
    noun: ClassVar[str] = "sentences"

    @property
    def name(self) -> str:
        return self.case.name

    @property
    def network(self) -> Network:
        return self.case.network

    @property
    def first(self) -> str:
        return f"a sentence of {len(self.case.samples[0])} tokens, room for {self.network.tokens}"

    def to_json(self) -> dict[str, Any]:
        report, in_rtl = super().to_json(), dict(zip(self.through, self.rtl_cosines, strict=True))
        report["network"] |= {"channels": self.network.width, "outputs": self.network.classes}
        sentences = [
            {
                "text": text,
                "tokens": len(sample),
                "cosine": defined(cos),
                "rtl_cosine": defined(in_rtl[n]) if n in in_rtl else None,
            }
            for n, (text, sample, cos) in enumerate(
                zip(self.case.texts, self.case.samples, self.cosines.tolist(), strict=True)
            )
        ]
        return report | {
            "sentences": sentences,
            "alike": self.alike,
            "rtl": None if self.rtl is None else {"index": self.through} | asdict(self.rtl),
        }


def encode(
    case: Sentences,
    *,
    rtl: int | None = None,
    lanes: int | None = None,
    streamed: bool = False,
    seed: int = 0,
    clock_mhz: float | None = None,
    progress: Progress = lambda part, share: None,
) -> Encodings:
    """Run sentences in floats, in golden, and some in the RTL.

    Args:
        rtl: how many go through the RTL too; see `Sentences.rtl`.
        lanes, streamed: of the core, see `studies.infer.cores.sized_core`.
        seed: chooses them.
        clock_mhz: at which inferences per second are wanted; see `studies.boards.throughput`.
        progress: told how far the job is.

    Raises:
        InputError: a number out of range, a network that the hardware cannot run.
    """
    total = len(case.texts)
    rtl = case.rtl if rtl is None else rtl
    check_range("--rtl", rtl, 0, total)
    core = sized_core(case.network, lanes, streamed=streamed, token_counts=True)
    config = core.config
    through = sorted(np.random.default_rng(seed).choice(total, rtl, replace=False).tolist())
    floats, golden = [], []
    for n in range(total):
        progress(f"{total} sentences through golden", n / total)
        floats.append(case.floats(n))
        golden.append(case.golden(n))
    found, rtl_cosines = None, np.zeros(0)
    if rtl:
        found, scores = through_rtl(case.job(through), core, progress)
        rtl_cosines = np.array(
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
    first = case.job([0])
    assert first.image is not None
    return Encodings(
        case=case,
        seed=seed,
        config=config,
        cosines=np.array([float(cosine(a, b)) for a, b in zip(golden, floats, strict=True)]),
        through=through,
        rtl_cosines=rtl_cosines,
        rtl=found,
        alike=alike,
        counted=counted,
        layers=layers,
        times=core.times(replace(first, load=False)),
        throughput=None
        if clock_mhz is None
        else network_throughput(core, case.job(list(range(min(IMAGES, total)))), clock_mhz),
    )
