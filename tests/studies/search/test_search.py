"""Figures of the code search on the small reference encoder: their numbers make sense and are drawn."""

from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from golden.code import PhaseCode
from models.conversion.record import record
from models.files.tensors import read_tensors
from models.floating.bert import Bert
from models.layouts import Options, read_model
from studies.plot_style import write_figure
from studies.search.capture import capture
from studies.search.codes import bases, code_error, survivors
from studies.search.figures import FIGURES
from studies.search.search import (
    best_base,
    code_grid,
    crossover_lines,
    encoder_shape,
    length_curve,
    scatter,
    score_grid,
    survivor_lines,
)

REFERENCE = Path(__file__).parents[3] / "tests" / "models" / "reference"


@pytest.fixture(scope="module")
def small() -> dict[str, Any]:
    """The reference encoder, its tensors, ranges and captured activations on random sentences."""
    tensors, options = read_tensors(REFERENCE / "bert.safetensors"), Options(architecture="bert", heads=2)
    _, model = read_model(tensors, options)
    assert isinstance(model, Bert)
    rng = np.random.default_rng(0)
    sentences = [rng.integers(0, 40, rng.integers(3, 9)) for _ in range(6)]
    batches = [sentence[None] for sentence in sentences]
    ranges, layers = record(model, batches)
    return {
        "tensors": tensors,
        "options": options,
        "model": model,
        "sentences": sentences,
        "ranges": ranges,
        "layers": layers,
        "captured": capture(model, batches),
    }


def test_bases_have_small_denominators_and_rise() -> None:
    found = bases(0.19, 1.0)
    assert found == sorted(set(found))
    assert {Fraction(1, 5), Fraction(2, 7), Fraction(1, 1)} <= set(found)
    assert max(f.denominator for f in found) == 8


def test_error_falls_with_steps_and_has_a_best_base(small: dict[str, Any]) -> None:
    grid = code_grid(small["captured"], small["ranges"], jobs=1)["lines"]
    best = {int(steps): min(p["inputs"] for p in points) for steps, points in grid.items()}
    assert best[40] < best[16] < best[8] < best[4]
    sixteen = [p["inputs"] for p in grid["16"]]
    assert 0 < sixteen.index(min(sixteen)) < len(sixteen) - 1
    least = best_base(small["captured"], small["ranges"], 16, jobs=1)
    assert Fraction(1, 8) < least < 1


def test_survivors_fall_with_the_window(small: dict[str, Any]) -> None:
    code = PhaseCode()
    whole, keys = survivors(small["captured"], small["ranges"], code, 16)
    short, _ = survivors(small["captured"], small["ranges"], code, 4)
    assert (short <= whole).all()
    assert (whole <= keys).all()
    lines = survivor_lines(small["captured"], small["ranges"], code)
    assert sum(lines["lines"][0]["rows"]) == len(whole)
    assert lines["lines"][0]["rows"][-1] == np.count_nonzero(whole * 20 > keys * 19)
    assert short.min() >= 1
    assert len(whole) == 2 * 2 * sum(len(s) for s in small["sentences"])
    assert code_error(small["captured"], small["ranges"], code, 4).steps == 16


def test_every_figure_is_drawn_from_its_numbers(small: dict[str, Any], tmp_path: Path) -> None:
    captured, ranges, model = small["captured"], small["ranges"], small["model"]
    truth = np.random.default_rng(1).random(3)
    calibration = [sentence[None] for sentence in small["sentences"]]
    scores, activity = score_grid(
        small["tensors"],
        "bert",
        small["options"],
        model,
        calibration,
        small["sentences"],
        truth,
        {8: Fraction(3, 4), 16: Fraction(2, 5)},
        1,
        0,
        lambda what: None,
    )
    for point in scores["points"]:
        assert 0 < point["energy"]["spiking"] < point["energy"]["float"]
    assert scores["points"][0]["cosine"]["mean"] < scores["points"][1]["cosine"]["mean"]
    code = PhaseCode()
    results = {
        "error-against-base": code_grid(captured, ranges, 1),
        "score-and-energy-against-steps": scores,
        "energy-against-length": length_curve(encoder_shape(ranges, small["layers"], 8), activity, 3.0),
        "decoded-against-real": scatter(captured, ranges, code, 0),
        "survivors-per-row": survivor_lines(captured, ranges, code),
        "energy-against-density": crossover_lines(captured),
    }
    assert set(results) == set(FIGURES)
    for name, values in results.items():
        figure = FIGURES[name](values | {"network": "small, 2 layers", "data": "random.csv"})
        assert "small, 2 layers" in figure.texts[1].get_text()
        write_figure(figure, tmp_path / f"{name}.png")
        assert (tmp_path / f"{name}.png").stat().st_size > 5000
    lengths = results["energy-against-length"]["paper"]
    assert [p["float"] for p in lengths] == sorted(p["float"] for p in lengths)
