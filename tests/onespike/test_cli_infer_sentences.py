"""`onespike infer` on text encoders: sentences in golden and in the RTL, beside the float model."""

import json
from collections.abc import Callable
from functools import partial, partialmethod
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from golden.network.network import run_network
from golden.network.program import config_for
from models.conversion.store import TOKENIZER, load
from models.floating.engine import FloatEngine
from sim.cores.network.core import NetworkJob, WholeNetworkCore
from sim.cores.network.neurons import NetworkIntegers
from studies.evaluate.samples import sentence_samples
from studies.infer import cores
from studies.infer.sentences import load_sentences
from tests.models.test_libraries import FOLDERS

# Its tokenizer takes w1 and w3, which are special, out of longer words
WORDS = [f"w{number}" for number in (*range(4, 10), *range(20, 30))]


def report(folder: Path) -> dict[str, Any]:
    return json.loads((folder / "report.json").read_text())


@pytest.fixture
def encoder(folder: Path, run: Callable[..., Any]) -> str:
    """A converted sentence-transformers folder of two blocks; lines.txt holds sentences of 2 to 7 words."""
    rng = np.random.default_rng(3)
    lines = [" ".join(rng.choice(WORDS, rng.integers(2, 8))) for _ in range(40)]
    (folder / "lines.txt").write_text("\n".join(lines) + "\n")
    words = ("convert", str(FOLDERS / "sentence_bert"), "--samples", "lines.txt", "--count", "30")
    ran = run(*words, "--tokens", "9", "-o", "tiny")
    assert ran.status == 0, ran.err
    return "tiny"


@pytest.fixture
def quick_rtl(monkeypatch: pytest.MonkeyPatch) -> None:
    """A small core, compiled quickly."""
    monkeypatch.setattr(cores, "config_for", partial(config_for, lanes=8, cluster=4))
    monkeypatch.setattr(WholeNetworkCore, "run", partialmethod(WholeNetworkCore.run, quick=True))


@pytest.mark.usefixtures("quick_rtl")
def test_sentences_through_the_rtl(
    folder: Path, run: Callable[..., Any], encoder: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Three lengths in one core; the vector of the RTL is the one that `onespike evaluate` scores."""
    texts = ["w5 w6 w7", "w9", "w29 w28 w5 w5 w20 w21 w22"]
    words = ("infer", "--network", encoder, "--tokens", "9", "-o", "out")
    for text in texts:
        words += ("--text", text)
    ran = run(*words, "--clock", "50")
    assert ran.status == 0, ran.err
    assert "cosine of the RTL's vector to the float one" in ran.out
    found = report(folder / "out")
    assert found["passed"]
    assert [entry["text"] for entry in found["sentences"]] == texts
    assert [entry["tokens"] for entry in found["sentences"]] == [3, 1, 7]
    assert found["rtl"]["index"] == [0, 1, 2]
    assert found["rtl"]["different"] == 0
    assert found["rtl"]["compared"] > 5000
    assert found["rtl"]["measured"] == found["rtl"]["predicted"] > 0
    assert found["throughput"]["images"] == 3
    stored = load(folder / encoder)
    made = stored.conversion.network
    assert made is not None
    for entry, text in zip(found["sentences"], texts, strict=True):
        batch = sentence_samples(stored.model, folder / encoder / TOKENIZER, [text])[0][None]
        ours, floats = made.run(stored.model, batch)[0], stored.model.run(batch, FloatEngine())[0]
        cosine = ours @ floats / np.linalg.norm(ours) / np.linalg.norm(floats)
        assert entry["rtl_cosine"] == pytest.approx(cosine, rel=1e-5)
        assert entry["cosine"] == entry["rtl_cosine"] > 0.8
    assert 0 < found["rtl"]["lanes"] < found["rtl"]["lanes_in_linear_layers"] <= 1
    written = ["network.npz", "report.json", "timeline.png", "timeline.txt"]
    assert sorted(path.name for path in (folder / "out").iterdir()) == written

    def wrong(self: WholeNetworkCore, job: NetworkJob) -> NetworkIntegers:
        integers = wanted(self, job)
        integers.potential[2, 5] += 1
        return integers

    wanted = WholeNetworkCore.compute
    monkeypatch.setattr(WholeNetworkCore, "compute", wrong)
    ran = run(*words)
    assert ran.status == 1
    assert "image 2, potential[5]" in ran.err
    assert report(folder / "out")["rtl"]["different"] == 1


def test_sentences_of_a_file(folder: Path, run: Callable[..., Any], encoder: str) -> None:
    """Rows that set the scales, and longer ones, are not drawn."""
    lines = (folder / "lines.txt").read_text().splitlines()
    used = {lines[row] for row in load(folder / encoder).calibration["rows"]}
    words = ("infer", "--network", encoder, "--data", "lines.txt", "--tokens", "6", "--rtl", "0", "-o", "out")
    ran = run(*words, "--images", "2", "--seed", "4")
    assert ran.status == 0, ran.err
    found = report(folder / "out")
    assert found["rtl"] is None
    assert set(found["alike"]) == {"float", "golden"}
    assert found["network"]["tokens"] == 6
    for entry in found["sentences"]:
        assert entry["text"] in lines
        assert entry["text"] not in used
        assert entry["tokens"] <= 6
    fitting = [line for line in lines if line not in used and len(line.split()) <= 6]
    assert run(*words).status == 0
    assert [entry["text"] for entry in report(folder / "out")["sentences"]] == fitting


def test_sentences_side_by_side(folder: Path, run: Callable[..., Any], encoder: str) -> None:
    """Four sentences of three words, two and two: the vectors are those of each alone."""
    texts = ["w5 w6 w7", "w9 w9 w9", "w29 w28 w5", "w1 w2 w3"]
    stored = load(folder / encoder)
    case = load_sentences(str(folder / encoder), stored, texts, None, tokens=3, beside=2)
    job = case.job([0, 1, 2, 3])
    scores = case.apart(run_network(job.network, job.image).scores)
    for number, score in enumerate(scores):
        assert case.vector(number, score) == pytest.approx(case.golden(number), rel=1e-9)
    words = ["infer", "--network", encoder, "--side-by-side", "2", "--rtl", "0", "--clock", "50", "-o", "out"]
    ran = run(*words, *(word for text in texts for word in ("--text", text)))
    assert ran.status == 0, ran.err
    assert "sentences per second" in ran.out
    found = report(folder / "out")
    assert found["side_by_side"] == found["throughput"]["images"] == 2
    assert found["network"]["tokens"] == 6


def test_bad_words(folder: Path, refused: Callable[..., str], encoder: str) -> None:
    words = ("infer", "--network", encoder)
    text = (*words, "--text", "w5")
    refused(*words, says="tiny: sentences come from --text or the file --data, not from neither")
    refused(*text, "--data", "lines.txt", says="--text or the file --data, not from both")
    refused(*text, "--images", "1", says="--images draws from --data, .*, not 1")
    refused(*text, "--tokens", "10", says=r"--tokens must be .* 1\.\.9, not 10")
    refused(*text, "--rtl", "2", says=r"--rtl must be .* 0\.\.1, not 2")
    refused(*text, "--recode", says="tiny: is a model of sentences, --recode must be absent")
    refused(
        *text, "--steps", "8", says="tiny: is a model of sentences, --steps and --log2-base must be absent"
    )
    long = ("--text", "w5 w6 w7", "--tokens", "2")
    refused(*words, *long, says="--text 'w5 w6 w7': must have at most 2 tokens, not 3")
    pair = ("--side-by-side", "2")
    refused(*text, *pair, says="--text must come in multiples of --side-by-side 2, not 1 times")
    refused(*text, "--text", "w5 w6", *pair, says="--text 'w5 w6': must have 1 tokens like all that are side")
    refused(
        *text, "--text", "w6", *pair, "--rtl", "1", says="--rtl must be a multiple of --side-by-side 2, not 1"
    )
    fit = "lines.txt: holds no 99 sentences of exactly 5 tokens"
    refused(*words, "--data", "lines.txt", "--tokens", "5", "--side-by-side", "99", says=fit)
    refused(*words, "--data", "no.txt", says="no.txt: cannot be read")
    refused(*words, "--data", "lines.txt", "--images", "99", says="--images must be .*, not 99")
    refused(
        *words, "--data", "lines.txt", "--tokens", "1", says="lines.txt: holds no sentence of at most 1 tok"
    )
    refused(
        "infer",
        "--text",
        "w5",
        says="digits: is no model of sentences, --text, --tokens and --side-by-side must be",
    )
