"""`onespike infer` on text encoders: sentences in golden and in the RTL, beside the float model."""

import json
from collections.abc import Callable
from contextlib import nullcontext
from dataclasses import dataclass, field, replace
from functools import partial, partialmethod
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import onespike
from golden.network.config import NetworkConfig
from golden.network.network import run_network
from golden.network.program import config_for
from models.conversion.store import TOKENIZER, load
from models.floating.engine import FloatEngine
from onespike.board_options import Wanted, board_config
from onespike.commands import infer as commands
from onespike.networks import spiked
from sim.board.simulate import compile_board, running
from sim.cores.network.core import NetworkJob, WholeNetworkCore
from sim.cores.network.neurons import NetworkIntegers
from studies.boards import page
from studies.boards import sentences as rates
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


def test_sentences_on_a_board(
    folder: Path, run: Callable[..., Any], refused: Callable[..., str], encoder: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    """Loaded once, then every sentence with its number of tokens, on a core that has room for more."""
    board = StandIn(core_of(board_config("ulx3s-85f", None, None, 10.0, encoder, tokens=7, lanes=8)))
    monkeypatch.setattr(commands, "opened_board", lambda *found: nullcontext(board))
    words = ("infer", "--network", encoder, "--engine", "board", "--port", "p")
    ran = run(*words, "-o", "out", "--text", "w5 w6 w7", "--text", "w9 w9 w8 w5 w5")
    assert ran.status == 0, ran.err
    assert "cosine of the board's vector to the float one" in ran.out
    found = report(folder / "out")
    assert [job.load for job in board.jobs] == [True, False]
    assert found["rtl"] is None
    assert (found["board"]["images"], found["board"]["different"]) == (2, 0)
    assert found["board"]["compared"] > 10
    assert all(entry["board_cosine"] == entry["cosine"] > 0.8 for entry in found["sentences"])
    assert found["configuration"]["tokens"] == 7
    long = ("--text", "w9 w8 w7 w6 w5 w9 w8 w7")
    refused(
        *words, *long, says="tokens = 8, this core has 7; for a core of its own the smallest board .* is "
    )
    board.core = WholeNetworkCore(replace(board.core.config, token_counts=False))
    refused(*words, "--text", "w5", says="this core takes whole images only")


def test_from_python(folder: Path, encoder: str) -> None:
    """The integers of the command, on the board that is given; what does not go together is refused."""
    texts = ["w5 w6 w7", "w9 w9 w8 w5 w5"]
    alone = onespike.run_sentences(encoder, texts)
    assert alone.vectors.shape == alone.floats.shape == (2, 16)
    assert (alone.rtl, alone.board) == (None, None)
    board: Any = StandIn(WholeNetworkCore(replace(config_for(alone.network, lanes=8), token_counts=True)))
    found = onespike.run_sentences(encoder, texts, engine="board", board=board)
    assert (found.vectors == alone.vectors).all()
    assert [job.load for job in board.jobs] == [True, False]
    assert found.board is not None
    assert (found.board.images, found.board.compared, found.board.different) == (2, 32, 0)
    assert found.through_cosines == pytest.approx(alone.cosines)
    for options, says in (
        ({"engine": "board"}, "engine board needs an open board, and an open board engine board"),
        ({"board": board}, "engine board needs an open board, and an open board engine board"),
        ({"engine": "x"}, "engine must be one of golden, rtl, board, not 'x'"),
        ({"engine": "board", "board": board, "lanes": 4}, "lanes and streamed size the simulated core"),
        ({"tokens": 4}, "--text 'w9 w9 w8 w5 w5': must have at most 4 tokens, not 5"),
    ):
        with pytest.raises(onespike.InputError, match=says):
            onespike.run_sentences(encoder, texts, **options)  # type: ignore[arg-type]
    for wrong in ([], "w5 w6", [3]):
        with pytest.raises(onespike.InputError, match="texts must be a list of sentences, at least one, not"):
            onespike.run_sentences(encoder, wrong)  # type: ignore[arg-type]


def core_of(wanted: Wanted) -> WholeNetworkCore:
    return WholeNetworkCore.from_table(dict(wanted.design.parameters), "the design")


@dataclass
class StandIn:
    """What a board with a core of its own answers, from golden."""

    core: WholeNetworkCore
    jobs: list[NetworkJob] = field(default_factory=list)

    @property
    def config(self) -> NetworkConfig:
        return self.core.config

    def run(self, job: NetworkJob, tell: Any = None) -> NetworkIntegers | None:
        self.jobs.append(job)
        return None if job.image is None else self.core.compute(job)


@pytest.mark.long
def test_sentences_on_a_simulated_board(folder: Path, run: Callable[..., Any], encoder: str) -> None:
    """The bitstream's top level behind a serial port, from text to vector."""
    wanted = board_config("ulx3s-85f", None, None, 10.0, encoder, tokens=5, lanes=8)
    with running(compile_board(wanted.board, wanted.design, wanted.clock)) as port:
        words = ("infer", "--network", encoder, "--engine", "board", "--port", port, "-o", "out")
        ran = run(*words, "--timeout", "300", "--text", "w5 w6 w7", "--text", "w9")
        assert ran.status == 0, ran.err
        with onespike.connect(WholeNetworkCore, port, patience=300) as board:
            python = onespike.run_sentences(encoder, ["w5 w6 w7"], engine="board", board=board)
    found = report(folder / "out")["board"]
    assert (found["images"], found["different"]) == (2, 0)
    assert python.board is not None
    assert (python.board.images, python.board.different) == (1, 0)


def test_the_bitstream_of_an_encoder(
    run: Callable[..., Any], refused: Callable[..., str], encoder: str
) -> None:
    """Its core has the rows of --tokens, and counts; the cycle model takes sentences of a file, or any."""
    wanted = board_config("ulx3s-85f", None, None, None, encoder, tokens=4, lanes=8)
    size = core_of(wanted).config
    assert (size.tokens, size.token_counts, size.lanes) == (4, True, 8)
    done = wanted.throughput(50.0)
    assert (done["images"], done["lanes"]) == (3, 8)
    assert done == board_config("ulx3s-85f", None, None, None, encoder, tokens=4, lanes=8).throughput(50.0)
    longest = board_config("ulx3s-85f", None, None, None, encoder, lanes=8)
    assert core_of(longest).config.tokens == 9
    listed = board_config("ulx3s-85f", None, None, None, encoder, data=Path("lines.txt"), lanes=8, tokens=6)
    assert listed.throughput(50.0)["inferences_per_second"] > done["inferences_per_second"] / 2
    words = ("synth", "--network")
    refused(*words, encoder, "--tokens", "10", says=r"--tokens must be .* 1\.\.9, not 10")
    refused(*words, encoder, "--data", "no.txt", says="no.txt: cannot be read")
    refused(
        *words, "digits", "--tokens", "3", says="digits: is no model of sentences, --tokens must be absent"
    )
    refused("synth", "--tokens", "3", says="--tokens is for --network, it must be absent without one, not 3")


def test_sentences_per_second_of_streamed_weights(
    run: Callable[..., Any], refused: Callable[..., None], encoder: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A core of 8 rows runs one sentence of all of them, or several of a length that it holds."""
    monkeypatch.setattr(rates, "LENGTHS", (2, 4, 9))
    monkeypatch.setattr(spiked, "SHORTEST", 2)
    wanted = board_config("ulx3s-85f", None, None, None, encoder, lanes=8, tokens=8, streamed=True, pieces=4)
    config = core_of(wanted).config
    assert (config.tokens, config.windows, config.shared, config.token_counts) == (8, True, True, True)
    done = wanted.throughput(40.0)["sentences"]
    assert [(one["tokens"], one["side_by_side"]) for one in done] == [(2, 1), (2, 2), (2, 4), (4, 1), (4, 2)]
    bound = set()
    for one in done:
        each = one["side_by_side"] * 40e6 / one["cycles"]
        assert one["sentences_per_second"] == pytest.approx(each, abs=0.06)
        assert 0 < one["words_per_cycle"] < 1
        assert sum(one["shares"].values()) == pytest.approx(1, abs=0.003)
        assert one["shares"]["dense layers"] > one["lanes_at_work"] > 0
        dense = one["shares"]["dense layers"]
        lanes, words = one["lanes_at_work"], one["words_per_cycle"] - (1 - dense)
        assert 1 > one["busy_in_dense_layers"] == pytest.approx(max(lanes, words) / dense, abs=0.01)
        bound.add("words" if words > lanes else "lanes")
    assert bound == {"words", "lanes"}
    # also where no number of sentences fills the rows
    odd = board_config("ulx3s-85f", None, None, None, encoder, lanes=8, tokens=7, streamed=True, pieces=4)
    assert (2, 2) in [(one["tokens"], one["side_by_side"]) for one in odd.throughput(40.0)["sentences"]]
    # rows for four of two tokens each, which attend no more than that
    beside = board_config(
        "ulx3s-85f", None, None, None, encoder, lanes=8, tokens=2, streamed=True, pieces=4, beside=4
    )
    config = core_of(beside).config
    assert (config.tokens, config.attention.tokens, config.windows) == (8, 2, True)
    rated = beside.throughput(40.0)["sentences"]
    assert [(one["tokens"], one["side_by_side"]) for one in rated] == [(2, 1), (2, 2), (2, 4)]
    several = ("synth", "--network", encoder, "--side-by-side")
    refused(*several, "2", says="--side-by-side 2: is for weights that are --streamed")
    refused(*several, "999", "--streamed", says="--side-by-side must be an integer in 1..113, not 999")
    refused("synth", "--network", "digits", "--side-by-side", "2", says="digits: is no model of sentences")
    refused("synth", "--side-by-side", "2", says="--side-by-side is for --network, it must be absent without")
    # the words are those of one inference, whatever is in it
    fetched = [one["words_per_cycle"] * one["cycles"] for one in done]
    assert max(fetched) < 1.01 * min(fetched)
    words = ("dev", "sentences", encoder, "--lanes", "8", "--tokens", "8", "--pieces", "4", "--clock", "40")
    ran = run(*words)
    assert ran.status == 0, ran.err
    assert f"{done[2]['cycles']:,}" in ran.out
    refused("dev", "sentences", "digits", says="digits: must be a model of sentences")
    assert page.sentences(done).parts[0].rows[0][0] == "2"
    # of its own length where all others are longer
    monkeypatch.setattr(rates, "LENGTHS", (9,))
    assert [one["tokens"] for one in wanted.throughput(40.0)["sentences"]] == [8]


def test_the_timeline_tells_tokens(folder: Path, run: Callable[..., Any], encoder: str) -> None:
    assert run("infer", "--network", encoder, "--text", "w5 w9", "--rtl", "0", "-o", "out").status == 0
    told = (folder / "out" / "timeline.txt").read_text()
    assert "tokens     tokens in" in told
    assert "pixel" not in told
    assert "image" not in told


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
