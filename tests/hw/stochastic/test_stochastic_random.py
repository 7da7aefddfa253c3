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


@pytest.mark.parametrize("seed", [3, 4])
def test_random_network(seed: int) -> None:
    rng, checked = np.random.default_rng(seed), random_networks.Checked()
    random_networks.check_core(*random_networks.random_core(rng, checked, 8, 20), rng, checked)
    assert checked.networks == 1
    assert checked.integers > 0
    assert checked.cycles > 0
    assert checked.different == 0
