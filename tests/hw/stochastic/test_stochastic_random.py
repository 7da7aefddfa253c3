"""A drawn sample of `make soak-stochastic`: small engines and networks anywhere in the accepted space."""

import numpy as np
import pytest

from tests.hw.stochastic import random_networks
from tests.hw.stochastic.random_engines import Checked, check_engine, random_engine


@pytest.mark.parametrize("seed", [1, 2])
def test_random_engine(seed: int) -> None:
    rng, checked = np.random.default_rng(seed), Checked()
    check_engine(random_engine(rng, checked, most_units=24), rng, 4, checked, most_columns=500)
    assert checked.jobs == 4
    assert checked.integers > 0
    assert checked.cycles > 0
    assert checked.different == 0


@pytest.mark.parametrize(("seed", "wide"), [(3, 0), (5, 16), (13, 32)])
def test_random_network(seed: int, wide: int) -> None:
    """Weights in the core, or in words of so many bits beside it."""
    rng, checked = np.random.default_rng(seed), random_networks.Checked()
    core, *drawn = random_networks.random_core(rng, checked, 8, 20)
    assert core.config.weight_stream == wide
    random_networks.check_core(core, *drawn, rng, checked)
    assert checked.networks == 1
    assert checked.integers > 0
    assert checked.cycles > 0
    assert checked.different == 0
