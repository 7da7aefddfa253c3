"""`onespike robustness` on a small encoder and small networks of images: what is joined, measured, drawn."""

import json
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from golden.code import PhaseCode
from golden.convolution import Convolution
from golden.errors import InputError
from golden.stochastic.inference import classify
from golden.stochastic.network import NetworkShape, SpikingNetwork
from models.floating.engine import FloatEngine
from models.verdict import RefusedModel
from onespike.cli import main
from studies.data.datasets import Images
from studies.evaluate.task import task_of
from studies.evaluate.work import Outputs
from studies.losses.measure import Contest
from studies.robustness import measure
from studies.robustness.figures import FIGURES
from studies.robustness.texts import Rows, join
from tests.golden.network.samples import random_transformer
from tests.models.test_integers import read
from tests.models.test_libraries import FOLDERS

SOURCE = FOLDERS / "sentence_bert"
WORDS = [f"w{number}" for number in (*range(4, 10), *range(20, 30))]
CODE = PhaseCode(steps=8, log2_base=Fraction(2, 3))


def drawn_rows(labelled: bool, count: int = 200) -> Rows:
    rng = np.random.default_rng(5)
    sides = 1 if labelled else 2
    texts = [
        tuple(" ".join(rng.choice(WORDS, rng.integers(1, 5))) for _ in range(sides)) for _ in range(count)
    ]
    return Rows(texts=texts, truth=rng.integers(0, 2, count) if labelled else rng.uniform(0, 5, count))


@pytest.mark.parametrize("labelled", [True, False])
def test_joined_rows(labelled: bool) -> None:
    """Exactly as long as asked for, of one class or of near scores, no row twice, drawn by the seed."""
    rows = drawn_rows(labelled)
    tokenizer = SOURCE / "tokenizer.json"
    one, other = (join(rows, tokenizer, 7, 6, np.random.default_rng(2)) for _ in range(2))
    assert [len(sample) for sample in one.samples] == [7] * 6 * len(rows.texts[0])
    assert all((a == b).all() for a, b in zip(one.samples, other.samples, strict=True))
    assert len({tuple(sample) for sample in one.samples}) == len(one.samples)
    assert len(one.truth) == 6
    if labelled:
        assert set(one.truth.tolist()) == {0, 1}
    else:
        assert np.ptp(one.truth) > 1
    with pytest.raises(InputError, match=r"rows make \d+ inputs of 7 tokens, 600 are needed"):
        join(rows, tokenizer, 7, 600, np.random.default_rng(2))


def test_the_command(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Three figures of pairs with their numbers."""
    rows, lines = drawn_rows(False, 400), []
    for texts, score in zip(rows.texts, rows.truth, strict=True):
        lines.append(",".join((*texts, f"{score:.2f}")))
    (tmp_path / "pairs.csv").write_text("\n".join(lines) + "\n")
    monkeypatch.setattr(measure, "LENGTHS", (4, 9))
    monkeypatch.setattr(measure, "CALIBRATION_TOKENS", 40)
    out = tmp_path / "out"
    words = [str(SOURCE), "--pairs", str(tmp_path / "pairs.csv"), "--codes", "8@1/2,8@2/3", "--jobs", "1"]
    words += ["--inputs", "10", "--joined", "8", "-o", str(out)]
    assert main(["robustness", *words]) == 0
    assert "3 figures in" in capsys.readouterr().out
    names = list(FIGURES)[:3]
    assert sorted(path.stem for path in out.glob("*.png")) == sorted(names)
    length, codes, bits = (json.loads((out / f"{name}.json").read_text()) for name in names)
    (task,) = length["tasks"]
    assert [point["tokens"] for point in task["points"]] == [4, 9]
    assert all(point["samples"] == 8 and point["cosine"]["mean"] > 0.7 for point in task["points"])
    short, long = (point["energy"] for point in task["points"])
    assert 0 < short["spiking"] < long["spiking"]
    assert 0 < short["dense"] < long["dense"]
    assert [point["log2_base"] for point in codes["tasks"][0]["points"]] == ["1/2", "2/3"]
    worst = {point["weight_bits"]: point["cosine"]["mean"] for point in bits["tasks"][0]["points"]}
    assert list(worst) == [8, 6, 4]
    assert worst[8] > worst[4]


def test_bits_that_cannot_be(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A refusal of fewer bits stands in the figure, one of the first bits ends the study."""
    model, rows = read("sentence_bert"), drawn_rows(False, 12)
    (tmp_path / "pairs.csv").write_text("".join(f"{a},{b},{n}\n" for n, (a, b) in enumerate(rows.texts)))
    subject = measure.Subject(
        name="STS-B", model=model, files=[], tokenizer=SOURCE / "tokenizer.json", data=tmp_path / "pairs.csv",
        folder=tmp_path, jobs=1, seed=0,
    )  # fmt: skip
    task = task_of(model, subject.data, subject.tokenizer, {}, None, 0)
    measured = measure.outputs_of

    def refusing(contest: Contest, *rest: Any) -> dict[str, Outputs]:
        if contest.weight_bits < 8:
            raise RefusedModel("block0: too coarse", [], [])
        return measured(contest, *rest)

    monkeypatch.setattr(measure, "outputs_of", refusing)
    work = subject, task, [sample[None] for sample in task.samples[:6]]
    found = measure.against_codes(*work, {8: [CODE], 4: [CODE]}, lambda what: None)
    assert [len(found[bits]["points"]) for bits in (8, 4)] == [1, 0]
    assert found[4]["refused"] == {"4": "block0: too coarse"}
    shown = FIGURES["loss-against-weight-bits"](
        {"network": "net", "tasks": [{"task": "STS-B"} | found[8] | {"refused": found[4]["refused"]}]}
    )
    assert [text.get_text() for text in shown.axes[0].texts] == ["refused"]
    assert shown.axes[0].get_xticks().tolist() == [4, 8]
    other = task.samples[6:12]
    assert len({str(measure.origin_of([], other, samples)) for samples in (other, task.samples[:6])}) == 2
    with pytest.raises(InputError, match="too coarse"):
        measure.against_codes(*work, {4: [CODE]}, lambda what: None)


def test_noise_on_images(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every network sees the same noisy images, and without noise is what it is."""
    monkeypatch.setattr(measure, "NOISES", (0, 60))
    stem = (Convolution(outputs=4, kernel=3, stride=2, padding=1),)
    model = random_transformer(1, patch=2, stride=2, channels=3, classes=3, stem=stem)
    shape = NetworkShape(
        side=8, channels=3, patch=4, stride=4, width=4, heads=2, depth=1, hidden=5, classes=3
    )
    rng = np.random.default_rng(3)
    arrays = {name: rng.integers(-60, 90, size).astype(kind) for name, (kind, size) in shape.arrays.items()}
    stochastic = SpikingNetwork(shape=shape, kind="ssa", arrays=arrays)
    pixels = rng.integers(0, 256, (44, 8, 8, 3)).astype(np.uint8)
    classes = model.run(pixels.transpose(0, 3, 1, 2) / 255, FloatEngine()).argmax(-1)
    data = Images(train=pixels[:24], train_labels=classes[:24], test=pixels[24:], test_labels=classes[24:])
    found = measure.against_noise(model, stochastic, data, CODE, 4, 20, [], tmp_path, 1, 0)
    clean, loud = found["points"]
    assert (clean["deviation"], loud["deviation"], clean["samples"]) == (0, 60, 20)
    assert clean["float"]["value"] == 100 > loud["float"]["value"]
    assert clean["score"]["value"] > loud["score"]["value"] - 10
    right = 100 * float((classify(stochastic, data.test, 4) == data.test_labels).mean())
    assert clean["stochastic"]["value"] == pytest.approx(right)
    changed = measure.noisy(data.test, 60, 0)
    assert (changed == measure.noisy(data.test, 60, 0)).all()
    assert 40 < np.std(changed.astype(float) - data.test) < 60
    about: dict[str, Any] = {"network": "net"} | found
    assert len(FIGURES["accuracy-against-noise"](about).axes[0].get_lines()) >= 3
