"""Networks whose weights are streamed, through the compiled RTL: every integer and every cycle."""

from dataclasses import replace

import numpy as np
import pytest

from golden.code import Spikes
from golden.network.attention import Attention
from golden.network.layers import Norm
from golden.network.program import config_for
from golden.network.reader import ReaderTiming
from golden.network.rearrange import in_pieces, side_by_side
from tests.golden.network.test_rearrange import sample
from tests.hw.network.compare import assert_integers_and_cycles
from tests.hw.network.random_cores import SMALL, Checked, Scale, check_core, random_core
from tests.hw.network.varied import doubled

STREAMED = replace(SMALL, tokens=8, features=24, networks=3, streamed=True)
# Layers that read older spikes with numbers of tokens; everything else with windows, on shared memories
DRAWN = [(1012, replace(STREAMED, held=True, counts=True))]
DRAWN += [(1032, replace(STREAMED, windows=True, general=True, beside=True))]


@pytest.mark.parametrize(("seed", "scale"), DRAWN)
def test_a_random_core(seed: int, scale: Scale) -> None:
    """Memories of any timing, pauses and resets; many more in `make soak-network`."""
    core, checked = random_core(seed, scale), Checked()
    assert core.config.weight_stream
    assert core.config.shared == scale.general
    assert core.config.block
    assert core.reader is not None
    check_core(core, seed, checked)
    assert checked.networks == scale.networks
    assert checked.cycles > 0


def test_rows_that_fire_longer_than_the_next_is_measured() -> None:
    """Both codes of 192 channels of a row, whose sum takes half of as many cycles."""
    network, image = sample(width=192, norm="layer", hidden=8)
    twice = doubled(network, np.random.default_rng(1))
    norms = [layer for layer in twice.layers if isinstance(layer, Norm)]
    assert [len(norm.offset) for norm in norms].count(384) > 1
    made = config_for(twice, lanes=4, cluster=2, weight_stream=16)
    config = replace(made, drains=2, norm_rows=2)
    memory = ReaderTiming(latency=9, interval=1, period=50, gap=7, queue=4)
    assert assert_integers_and_cycles(twice, config, image, reader=memory) > 1000


@pytest.mark.parametrize("rows", [8, 128])
def test_side_by_side_in_rtl(rows: int) -> None:
    """Images side by side, weights from a stream and hidden layers in pieces: every integer and cycle."""
    network, image = sample(hidden=20, blocks=1)
    beside = rows // network.tokens
    joined = in_pieces(side_by_side(network, beside), 8)
    assert [layer.groups for layer in joined.layers if isinstance(layer, Attention)] == [beside]
    entry = (np.resize(a, (2, beside * network.tokens, a.shape[-1])) for a in (image.sign, image.phase))
    config = config_for(joined, lanes=8, cluster=4, weight_stream=16)
    assert config.weights <= 32
    assert config.tokens == rows
    memory = ReaderTiming(latency=9, interval=2, period=50, gap=7, queue=4)
    assert assert_integers_and_cycles(joined, config, Spikes(*entry), reader=memory) > 1000
