"""Sums of the stream, one right after the other, on cores of so few lanes that the first is under way."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from golden.code import Spikes
from golden.network.layers import Linear, Norm
from golden.network.network import Network
from golden.network.program import config_for
from tests.golden.network.test_program import CODE, attention, linear
from tests.hw.network.compare import assert_integers_and_cycles

WIDTH = 8


def layer(source: str, target: str, inputs: int, outputs: int, **fields: Any) -> Linear:
    """Hidden neurons that all fire: many spikes before few."""
    made = linear(source, target, inputs, outputs, **fields)
    return replace(made, offset=np.full(outputs, -2000, np.int64)) if target == "hidden" else made


@pytest.mark.parametrize(("lanes", "stream"), [(3, 64), (2, 0)], ids=["streamed", "held"])
def test_a_sum_reads_what_the_one_before_wrote(lanes: int, stream: int) -> None:
    """One token, one pass: the second layer has one spike and follows eight of the first."""
    norm = Norm(
        target="norm",
        kind="rms",
        offset=np.full(lanes, -100, np.int64),
        levels=np.zeros(CODE.steps, np.int64),
    )
    layers = (
        layer("image", "hidden", WIDTH, WIDTH), layer("hidden", "stream", WIDTH, lanes, weight=3, fresh=True),
        layer("image", "stream", WIDTH, lanes, weight=-5), norm, layer("norm", "qkv", lanes, 3 * lanes),
        attention("qkv", "mixed", 1), layer("mixed", "stream", lanes, lanes), norm,
        layer("norm", "scores", lanes, 2),
    )  # fmt: skip
    network = Network(code=CODE, weight_bits=4, tokens=1, width=WIDTH, scale=1.0, layers=layers)
    sign = np.eye(1, WIDTH, dtype=np.int8)[None].repeat(2, axis=0)
    image = Spikes(sign, np.where(sign, np.int8(0), np.int8(CODE.steps)))
    config = config_for(network, lanes=lanes, weight_stream=stream)
    assert assert_integers_and_cycles(network, config, image) > 0
