"""Scales from data, per tensor, head and channel."""

import numpy as np
import pytest

from golden.attention.calibrate import calibrate


def test_granularities_on_samples_of_heads() -> None:
    values = np.random.default_rng(1).standard_normal((5, 3, 7, 4)).astype(np.float32)
    values[:, 1] = 0
    values[2, 2, 6, 3] = -100
    assert calibrate(values, "tensor") == 100
    assert calibrate(values, "tensor").shape == ()
    by_head = calibrate(values, "head")
    assert by_head.dtype == np.float64
    assert by_head.tolist() == [float(np.abs(values[:, 0]).max()), 1.0, 100.0]
    by_channel = calibrate(values, "channel")
    assert by_channel.shape == (3, 4)
    assert by_channel[1].tolist() == [1.0, 1.0, 1.0, 1.0]
    assert by_channel[2, 3] == 100
    assert by_channel[0, 1] == np.abs(values[:, 0, :, 1]).max()
    assert (by_channel.max(axis=-1) == by_head).all()


@pytest.mark.parametrize(("granularity", "shape"), [("tensor", ()), ("head", (2,)), ("channel", (2, 5))])
def test_one_sample(granularity: str, shape: tuple[int, ...]) -> None:
    values = np.full((2, 3, 5), -0.25)
    scale = calibrate(values, granularity)  # type: ignore[arg-type]
    assert scale.shape == shape
    assert (scale == 0.25).all()
