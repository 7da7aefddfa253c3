"""Weights that are learned from calibration samples: least squares, and what they are good for."""

from dataclasses import replace
from fractions import Fraction

import numpy as np
import pytest
from numpy.typing import NDArray

import models.conversion.correct as conversion
from golden.code import PhaseCode
from golden.network.layers import Linear, SpikingLinear
from models.conversion.network import convert_network
from models.files.tensors import read_tensors
from models.floating.engine import FloatEngine
from models.layouts import Options, read_model
from tests.models.test_engine import relative, small_encoder
from tests.models.test_libraries import FOLDERS, vectors

COARSE = PhaseCode(steps=6, log2_base=Fraction(3, 4))


def neurons(weight: NDArray[np.int16]) -> SpikingLinear:
    zeros = np.zeros(len(weight), np.int64)
    return SpikingLinear(
        source="norm", target="hidden", weight=weight, bias=zeros, offset=zeros, levels=np.zeros(1, np.int64)
    )


def test_weights_of_least_squares(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whole weights and a bias are found again where nothing holds others; with much, none changes."""
    rng = np.random.default_rng(2)
    right, start = rng.integers(-90, 91, (2, 5, 12)).astype(np.int16)
    start[0, 0] = 127
    inputs = rng.integers(-50, 51, (300, 12)) + 7.0
    bias = np.arange(5) * 1000
    monkeypatch.setattr(conversion, "HELD_BACK", 1e-9)
    found = conversion.fit(neurons(start), inputs, inputs @ right.T + bias)
    np.testing.assert_array_equal(found.weight, right)
    np.testing.assert_array_equal(found.bias, bias)
    monkeypatch.setattr(conversion, "HELD_BACK", 1e12)
    held = conversion.fit(neurons(start), inputs, inputs @ right.T + bias)
    np.testing.assert_array_equal(held.weight, start)
    # the mean is right all the same
    lacks = inputs @ (right - held.weight.astype(np.float64)).T + bias - held.bias
    assert (np.abs(lacks.mean(axis=0)) <= 0.5).all()


def test_weights_stay_in_their_word(monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng(3)
    start, inputs = np.full((2, 3), 127, np.int16), rng.normal(size=(50, 3))
    monkeypatch.setattr(conversion, "HELD_BACK", 1e-9)
    found = conversion.fit(neurons(start), inputs, inputs @ np.full((3, 2), 500.0))
    np.testing.assert_array_equal(found.weight, start)


def inputs_of_few_directions(samples: int, rng: np.random.Generator) -> NDArray[np.float32]:
    """[samples, 6, 16] that lie in a few directions, as those of trained models do."""
    return (rng.normal(size=(samples, 6, 3)) @ rng.normal(size=(3, 16))).astype(np.float32)


@pytest.mark.parametrize(("norm_first", "activation"), [(True, "relu"), (False, "relu"), (False, "gelu")])
def test_learned_weights_help_samples_that_were_not_seen(
    monkeypatch: pytest.MonkeyPatch, norm_first: bool, activation: str
) -> None:
    """They take back what a coarse code loses, in blocks with norms before and after the sums, with
    lobes of GELU and without; biases alone do less.
    """
    model, rng = small_encoder(4), np.random.default_rng(6)
    blocks = [replace(block, norm_first=norm_first, activation=activation) for block in model.blocks]
    model, data = replace(model, blocks=blocks), inputs_of_few_directions(400, rng)
    seen, held_out = data[:300], data[300:]
    exact = model.run(held_out, FloatEngine())
    errors = []
    for held in (1e12, conversion.HELD_BACK, 30):
        monkeypatch.setattr(conversion, "HELD_BACK", held)
        # two lengths, so that rows of several batches stand beside each other
        made = convert_network(model, [seen[:200], seen[200:, :4]], COARSE, tokens=6, learned=True)
        errors.append(relative(made.run(model, held_out), exact))
    biases, shipped, free = errors
    # so many rows hold hardly any weight that is fitted to so few
    assert shipped < 1.02 * biases
    assert free < 0.95 * biases


def test_rows_of_a_grid_are_rows(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of a Swin transformer the weights that read rows in the order of the stream are learned."""
    model = read_model(read_tensors(FOLDERS / "swin"), Options())[1]
    images = np.random.default_rng(5).normal(size=(30, *vectors("swin")["inputs"].shape[1:]))
    batch = images.astype(np.float32)
    weights = []
    for held in (1e12, 30):
        monkeypatch.setattr(conversion, "HELD_BACK", held)
        made = convert_network(model, [batch], COARSE, learned=True)
        layers = zip(made.nodes, made.network.layers, strict=True)
        weights.append({nodes[0]: layer.weight for nodes, layer in layers if isinstance(layer, Linear)})
    changed = {name for name, weight in weights[0].items() if (weight != weights[1][name]).any()}
    assert {"stage0.block0.mlp1", "stage0.block1.mlp1"} <= changed
    assert not {"embedding", "stage0.block1.query", "stage0.block1.projection"} & changed


@pytest.mark.parametrize("shape", [(1, 1, 16), (3, 2, 16)])
def test_rows_that_do_not_differ_leave_weights_alone(
    monkeypatch: pytest.MonkeyPatch, shape: tuple[int, ...]
) -> None:
    row = np.random.default_rng(7).normal(size=16).astype(np.float32)
    weights = []
    for held in (1e12, conversion.HELD_BACK):
        monkeypatch.setattr(conversion, "HELD_BACK", held)
        made = convert_network(small_encoder(4), [np.broadcast_to(row, shape).copy()], COARSE, learned=True)
        weights.append([layer.weight for layer in made.network.layers if isinstance(layer, Linear)])
    for before, after in zip(*weights, strict=True):
        np.testing.assert_array_equal(before, after)


def test_samples_are_spread_over_all_batches(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(conversion, "MOST_ROWS", 30)
    rows = [np.full(count, each) for count, each in ((8, 6), (1, 3), (1, 3), (4, 3))]
    found = conversion.choose(rows)
    assert [each.tolist() for each in found] == [[2, 4, 6], [0], [], [0, 3]]
    assert sum(len(each) * row[0] for each, row in zip(found, rows, strict=True)) <= 30
    monkeypatch.setattr(conversion, "MOST_ROWS", 66)
    assert [len(each) for each in conversion.choose(rows)] == [8, 1, 1, 4]


def test_part_of_the_samples_is_enough(monkeypatch: pytest.MonkeyPatch) -> None:
    """Also where some batches have none that is chosen."""
    model, data = small_encoder(4), inputs_of_few_directions(40, np.random.default_rng(6))
    monkeypatch.setattr(conversion, "MOST_ROWS", 60)
    batches = [data[:30], data[30:31, :5], data[31:32, :4], data[32:, :3]]
    made = convert_network(model, batches, COARSE, learned=True)
    assert relative(made.run(model, data), model.run(data, FloatEngine())) < 0.5
