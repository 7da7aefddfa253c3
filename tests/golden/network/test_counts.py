"""Which layers follow the number of tokens of an inference, and which networks take one in hardware."""

from dataclasses import replace

import numpy as np
import pytest

from golden.attention.job import compute
from golden.errors import InputError
from golden.network.counts import counted_layers
from golden.network.layers import StreamLinear
from golden.network.program import compile_network, config_for
from golden.network.tensors import IMAGE, Run
from sim.cores.network.core import NetworkJob, WholeNetworkCore
from tests.golden.network.random_networks import Drawer
from tests.golden.network.rooms import Room, random_code
from tests.golden.network.test_program import (
    LANES,
    SCORES,
    TOKENS,
    WIDTH,
    attended,
    linear,
)


def test_rows_that_are_there_are_golden_s() -> None:
    """Of every number of tokens at once: the first rows of layers that follow it, all rows of the others."""
    checked = 0
    for seed in range(40):
        rng = np.random.default_rng(seed)
        room = Room(
            code=replace(random_code(rng), steps=4), weight_bits=4, lanes=8, tokens=6, features=6, head_dim=2,
            heads=2, wide=False, held=True, gathers=True, parts=True, windows=True, counts=True, chains=True,
        )  # fmt: skip
        network, image = Drawer(rng, room).draw()
        try:
            counted = counted_layers(network)
        except InputError:
            continue
        checked += 1
        tokens = np.arange(network.tokens) + 1
        run = Run(network.code, compute, lambda stream: stream, {})
        run.enter(IMAGE, image[np.zeros(len(tokens), int)], np.tri(network.tokens, dtype=bool))
        for layer, follows in zip(network.layers[:-1], counted, strict=False):
            rows = layer.run(run).shape[1]
            missing = network.tokens - tokens[:, None] if follows else 0
            present = run.present.get(layer.target, np.ones((len(tokens), rows), bool))
            if not isinstance(layer, StreamLinear) or layer.fresh:
                assert (present == (np.arange(rows) < rows - missing)).all()
    assert checked > 15


def test_a_class_token_follows_and_its_pooling_does_not() -> None:
    """A row without a source before the tokens; scores of the first row alone."""
    before = np.arange(-1, TOKENS)[:, None]
    first = replace(SCORES, gather=np.array([[0]]))
    entered = replace(linear("image", "a", WIDTH, WIDTH), gather=before)
    layers = (*attended(entered, source="a").layers[:-1], first)
    made = compile_network(replace(attended(), layers=layers), LANES)
    assert {op.counted for op in [*made.linear[:-1], *made.norm, *made.attention]} == {True}
    assert not made.linear[-1].counted


@pytest.mark.parametrize(
    ("layer", "change", "message"),
    [
        (0, {"gather": np.array([[2], [1], [0]])}, "layer 0 must read rows in their order"),
        (3, {"gather": np.array([[1]])}, "layer 3 must read rows in their order"),
        (1, {"groups": 3}, r"layer 1 must attend in one group, not 3 \(groups\)"),
        (1, {"allowed": ~np.tri(TOKENS, k=-1, dtype=bool)[None]}, None),
        (
            1,
            {"allowed": np.eye(TOKENS, dtype=bool)[None, ::-1]},
            r"layer 1 must allow each row itself or one",
        ),
        (1, {"allowed": np.tri(TOKENS, dtype=bool)[None]}, None),
    ],
)
def test_what_takes_no_number_of_tokens_is_refused_by_name(
    layer: int, change: dict, message: str | None
) -> None:
    layers = list(attended().layers)
    layers[layer] = replace(layers[layer], **change)
    network = replace(attended(), layers=(*layers[:-1], replace(SCORES, pooled=True)))
    config = replace(config_for(network), token_counts=True)
    job = NetworkJob(network=network, image=None, tokens=np.zeros(0, np.int64))
    if message is None:
        assert all(counted_layers(network))
        WholeNetworkCore(config).check(job)
        return
    with pytest.raises(InputError, match=f"^a number of tokens: {message}"):
        WholeNetworkCore(config).check(job)
    assert not any(op.counted for op in compile_network(network, LANES).linear)
    WholeNetworkCore(config).check(replace(job, tokens=None))


def test_a_core_made_without_refuses_numbers_of_tokens() -> None:
    core = WholeNetworkCore(config_for(attended()))
    with pytest.raises(InputError, match="this core takes whole images only"):
        core.check(NetworkJob(network=attended(), tokens=np.zeros(0, np.int64)))
