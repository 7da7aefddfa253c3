"""What golden says the taps of a network's core show."""

from dataclasses import replace

import numpy as np
import pytest
from numpy.typing import NDArray

from golden.code import Spikes
from golden.network.network import run_network
from golden.network.program import compile_network
from sim.cores.network.neurons import golden_neurons
from tests.golden.network.test_program import (
    HEADS,
    LANES,
    QKV,
    TO_STREAM,
    TOKENS,
    WIDTH,
    attention,
    linear,
    norm,
)
from tests.golden.network.test_program import network as scored

BEFORE = np.column_stack([np.arange(TOKENS), np.arange(-1, TOKENS - 1)])


@pytest.mark.parametrize("gather", [None, BEFORE], ids=["rows", "rows and those before them"])
def test_pooled_scores_are_potentials_of_the_rows_that_are_there(gather: NDArray[np.int64] | None) -> None:
    """Of fewer tokens than a network has, the other rows of what enters add nothing, whatever is in them."""
    scores = linear("image", "scores", WIDTH * (1 if gather is None else 2), 2)
    layers = (
        linear("image", "stream", WIDTH, WIDTH, fresh=True),
        norm("norm"),
        linear("norm", "qkv", WIDTH, QKV),
        attention("qkv", "mixed", HEADS),
        TO_STREAM,
    )
    network = scored(*layers, replace(scores, gather=gather))
    tokens = np.arange(TOKENS) + 1
    phases = np.resize(np.arange(network.code.steps, dtype=np.int8), (TOKENS, TOKENS, WIDTH))
    image = Spikes(np.ones_like(phases), phases)
    potential = golden_neurons(network, compile_network(network, LANES), image, tokens)[0].potential
    outputs = run_network(network, image, tokens=tokens).outputs[-1]
    assert potential is not None
    assert (potential[:, -2:] == outputs).all()
    assert len(np.unique(outputs[:, 0])) == TOKENS
