"""Energy of a stochastic network, counted once more from its spikes."""

import numpy as np
import pytest

from energy.stochastic_network import account
from golden.stochastic.inference import infer
from golden.stochastic.program import bit_planes, check_fit
from golden.stochastic.weights import pass_words
from tests.hw.stochastic.bench_stochastic_network import SHAPES, STEPS, small_network

SHAPE = SHAPES["patches"]


def test_counts_are_those_of_the_spikes() -> None:
    config, job = small_network()
    trains = {"image": bit_planes(job.network, job.images)}
    infer(job.network, job.images, STEPS, config.plan, trains.__setitem__)
    spikes = {name: np.count_nonzero(train) / len(job.images) for name, train in trains.items()}
    width, hidden = SHAPE.width, SHAPE.hidden
    synapses = spikes["image"] * width + spikes["block1_down"] * SHAPE.classes
    for block, entering in (("block0", "embed"), ("block1", "block0_down")):
        synapses += spikes[entering] * 3 * width + spikes[f"{block}_attention"] * width
        synapses += spikes[f"{block}_o"] * hidden + spikes[f"{block}_up"] * width
    spiking, dense = account(job.network, config, job.images, STEPS)
    assert spiking.count("weight memory") == pytest.approx(synapses)
    assert spiking.count("synaptic additions") == pytest.approx(synapses)
    # the current of a pixel layer is written, those of four projections are read and written
    neurons = SHAPE.tokens * STEPS * width
    assert spiking.count("residual stream") == pytest.approx(9 * neurons)
    assert spiking.count("AND gates") == pytest.approx(2 * 2 * STEPS * SHAPE.tokens**2 * width)
    inputs = SHAPE.tokens * (18 * width + 2 * (4 * width**2 + 2 * width * hidden) + width * SHAPE.classes)
    assert dense.count("weight memory") == pytest.approx(inputs)
    assert spiking.picojoule > 0


def test_streamed_weights_are_fetched_once_by_both() -> None:
    inside, job = small_network()
    config, _ = small_network(wide=16)
    program = check_fit(job.network, STEPS, config)
    before = account(job.network, inside, job.images, STEPS)
    for ledger, without in zip(account(job.network, config, job.images, STEPS), before, strict=True):
        assert ledger.count("external memory") == sum(pass_words(program, config))
        assert ledger.count("loads of the weight memory") == program.weights.size
        assert ledger.count("weight memory") == without.count("weight memory")
        assert ledger.picojoule > without.picojoule
