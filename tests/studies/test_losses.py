"""`onespike losses` on the small encoder of the references: what it finds, and that it resumes."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from golden.errors import InputError
from models.conversion.record import record
from models.floating.engine import FloatEngine
from onespike.commands.losses import read_codes
from studies.evaluate.metrics import cosine
from studies.evaluate.report import vector_report
from studies.losses.measure import Contest, name_of, outputs_of
from studies.losses.picture import picture
from tests.models.test_integers import read

CODES = "16@1/2,8@2/3,8@3/4"


@pytest.fixture(scope="module")
def contest() -> Contest:
    model, rng = read("sentence_bert"), np.random.default_rng(3)
    sentences = [rng.integers(4, model.samples.vocabulary, n) for n in (5, 3, 5, 7, 3, 5)]
    calibration = [sentence[None] for sentence in sentences]
    ranges, _ = record(model, calibration)
    return Contest(model=model, ranges=ranges, calibration=calibration, samples=sentences, weight_bits=8)


def test_outputs_are_those_of_the_conversion_and_are_kept(contest: Contest, tmp_path: Path) -> None:
    codes, known = read_codes(CODES), list[bool]()
    found = outputs_of(contest, codes[:1], tmp_path, 1, known.append)
    again = outputs_of(contest, codes, tmp_path, 1, known.append)
    assert known == [False, False, True, True, False, False]
    assert (again[name_of(codes[0])].values == found[name_of(codes[0])].values).all()
    for sample, values in zip(contest.samples, again["float"].values, strict=True):
        np.testing.assert_allclose(values, contest.model.run(sample[None], FloatEngine())[0], atol=1e-5)
    assert all(cosine(o.values, again["float"].values).min() > 0.9 for o in again.values())
    assert 0.3 < again[name_of(codes[0])].activity["all"].density < 1
    # another width of the weights is another result
    assert contest.place(tmp_path, codes[0]) != contest.place(tmp_path, codes[1])
    next(tmp_path.glob("8-2_3-*.npz")).write_bytes(b"PK")
    with pytest.raises(InputError, match=r"must be a whole \.npz file"):
        outputs_of(contest, codes, tmp_path, 1, known.append)


def test_means_of_a_group_are_those_of_its_losses(contest: Contest, tmp_path: Path) -> None:
    codes = read_codes(CODES)
    names = [name_of(code) for code in codes]
    outputs = outputs_of(contest, codes, tmp_path, 1, lambda known: None)
    report = vector_report(outputs, len(contest.samples), 0, groups=[names[:2], names[2:]])
    loss = [report["modes"][name]["loss"]["value"] for name in names]
    assert report["means"][0]["value"] == pytest.approx((loss[0] + loss[1]) / 2)
    assert report["means"][1]["value"] == pytest.approx(loss[2])
    assert report["means"][0]["low"] <= report["means"][0]["value"] <= report["means"][0]["high"]


def test_codes_are_read_and_drawn() -> None:
    codes = read_codes(CODES)
    assert [(code.steps, str(code.log2_base)) for code in codes] == [(8, "2/3"), (8, "3/4"), (16, "1/2")]
    estimate = {"value": 0.3, "low": -0.1, "high": 0.6}
    report: dict[str, Any] = {
        "metric": "accuracy, %",
        "samples": 5,
        "layout": "bert",
        "codes": [{"mode": name_of(c), "steps": c.steps, "log2_base": str(c.log2_base)} for c in codes],
        "modes": {name_of(code): {"loss": estimate} for code in codes},
        "steps": {"8": estimate, "16": dict.fromkeys(estimate)},
    }
    (axes,) = picture(report).axes
    assert axes.get_xticks().tolist() == [8, 16]
    assert json.dumps(report)
