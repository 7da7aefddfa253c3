"""Weights that are learned from calibration samples: least squares, and what they are good for."""

from dataclasses import replace
from fractions import Fraction

import numpy as np
import pytest
from numpy.typing import NDArray

import models.conversion.correct as conversion
from golden.code import PhaseCode
from golden.network.layers import StreamLinear
from models.conversion.aims import reader_of
from models.conversion.network import convert_network
from models.floating.engine import FloatEngine
from tests.models.test_engine import relative, small_encoder

COARSE = PhaseCode(steps=6, log2_base=Fraction(3, 4))


def neurons(weight: NDArray[np.int16]) -> StreamLinear:
    outputs = len(weight)
    return StreamLinear(
        source="norm", weight=weight, bias=np.zeros(outputs, np.int64), shift=np.zeros(outputs, np.int64)
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


def test_the_stream_is_read_by_the_next_norm() -> None:
    model, batch = small_encoder(5), np.random.default_rng(3).normal(size=(2, 5, 16)).astype(np.float32)
    made = convert_network(model, [batch], PhaseCode())
    layers, nodes = made.network.layers, made.nodes
    read = {
        nodes[index][0]: None if (place := reader_of(layers, index)) is None else nodes[place][0]
        for index, layer in enumerate(layers)
        if isinstance(layer, StreamLinear)
    }
    assert read["block0.projection"] == "block0.norm2"
    assert read["block0.mlp2"] == "block1.norm1"


@pytest.mark.parametrize("norm_first", [True, False])
def test_learned_weights_help_samples_that_were_not_seen(
    monkeypatch: pytest.MonkeyPatch, norm_first: bool
) -> None:
    """They take back what a coarse code loses, in blocks with norms before and after the sums; biases alone
    do less.
    """
    model, rng = small_encoder(4), np.random.default_rng(6)
    model = replace(model, blocks=[replace(block, norm_first=norm_first) for block in model.blocks])
    mix = rng.normal(size=(3, 16))  # inputs of a few directions, as those of trained models are
    data = (rng.normal(size=(400, 6, 3)) @ mix).astype(np.float32)
    seen, held_out = data[:300], data[300:]
    exact = model.run(held_out, FloatEngine())
    errors = []
    for held in (1e12, 30):
        monkeypatch.setattr(conversion, "HELD_BACK", held)
        made = convert_network(model, [seen], COARSE, learned=True)
        errors.append(relative(made.run(model, held_out), exact))
    print(errors)
    assert errors[1] < 0.9 * errors[0]


def test_more_rows_than_are_fitted(monkeypatch: pytest.MonkeyPatch) -> None:
    """Weights are those of the first samples, of every length; a bias is that of all of them where no weight
    is fitted."""
    model, rng = small_encoder(4), np.random.default_rng(6)
    batches = [rng.normal(size=(count, rows, 16)).astype(np.float32) for count, rows in ((8, 6), (4, 3))]
    monkeypatch.setattr(conversion, "MOST_ROWS", 30)
    floats = conversion.floats_of(model, batches, [6, 3])
    assert [rows.inputs["block0.query"].shape[:2] for rows in floats] == [(4, 6), (2, 3)]
