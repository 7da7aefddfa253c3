"""A whole network's ledgers."""

from dataclasses import replace
from fractions import Fraction

import numpy as np
import pytest

from energy import mac
from energy.attention import spiking_attention
from energy.events import attention_events
from energy.ledger import Ledger
from energy.network import account, account_by_layer, linear_events
from golden.code import PhaseCode, Spikes
from golden.network.attention import Attention
from golden.network.layers import Norm, ScoreLinear, SpikingLinear
from golden.network.network import encode_image, run_network
from golden.network.program import compile_network, config_for
from golden.network.rows import gathered
from golden.network.weights import weight_words
from tests.golden.network.samples import converted, random_images, random_transformer


def test_energy_counts_follow_the_spikes() -> None:
    floating = random_transformer(1, blocks=2)
    network = converted(floating, random_images(2, 20), PhaseCode())
    patches = floating.entering(random_images(3, 4)[:, None])
    config = config_for(network)
    spiking, dense = account(network, config, encode_image(network, patches))
    silent, same = account(network, config, encode_image(network, np.zeros_like(patches)))
    synapses = sum(layer.weight.size for layer in network.layers if hasattr(layer, "weight")) * network.tokens
    assert silent.count("synaptic additions") < spiking.count("synaptic additions") <= synapses
    assert spiking.count("weight memory") == spiking.count("synaptic additions")
    assert dense.count("multiplications") == dense.count("additions") > synapses
    assert dense.count("weight memory") == synapses
    assert dense == same


def test_layer_norm_pays_for_its_mean() -> None:
    """One addition per channel, and one per set bit of the reciprocal of 12: 2**-4 * (1 + 0.01..01b)."""
    floating = random_transformer(1, norm="layer", width=12, heads=2)
    network = converted(floating, random_images(2, 20), PhaseCode())
    image = encode_image(network, floating.entering(random_images(3, 2)[:, None]))
    events = account(network, config_for(network), image)[0]
    assert events.count("mean additions") == 3 * network.tokens * (12 + 1 + 12)


def test_neurons_pay_for_the_additions_of_their_constants() -> None:
    """As many as the drain has: signed digits, B = 2^(2/7): 21 for seven residues and one for the bias."""
    floating = random_transformer(1)
    network = converted(floating, random_images(2, 20), PhaseCode(steps=24, log2_base=Fraction(2, 7)))
    image = encode_image(network, floating.entering(random_images(3, 2)[:, None]))
    events = account(network, config_for(network), image)[0]
    assert events.count("combination of octaves") == (21 + 1) * events.count("bias memory")


def test_attention_is_that_of_the_attention_core() -> None:
    """A layer's heads cost in a network what they cost alone."""
    floating = random_transformer(1)
    network = converted(floating, random_images(2, 20), PhaseCode())
    config = config_for(network)
    image = encode_image(network, floating.entering(random_images(3, 2)[:, None]))
    place = next(n for n, layer in enumerate(network.layers) if isinstance(layer, Attention))
    qkv = run_network(network, image).outputs[place - 1]
    events = attention_events(network.layers[place].job(qkv, network.code), config.attention)
    spiking, dense = account(network, config, image)
    for whole, alone in (
        (spiking, spiking_attention(events, config.attention)),
        (dense, mac.attention(events, config.attention)),
    ):
        counts = {(line.name, line.price, line.per): line.count for line in whole.lines}
        for line in alone.mean(2).lines:
            # Multiplications of other layers are in the same line
            assert counts[line.name, line.price, line.per] >= line.count > 0, line.name
    alone = spiking_attention(events, config.attention).mean(2)
    assert spiking.count("winner search") == pytest.approx(alone.count("winner search"))
    assert spiking.count("adder tree, context") == pytest.approx(alone.count("adder tree, context"))


def test_biases_and_masks_are_paid_by_the_word() -> None:
    """Of four terms, for every row of every head; a window without masked pairs reads none."""
    floating = random_transformer(1)
    network = converted(floating, random_images(2, 20), PhaseCode())
    image = encode_image(network, floating.entering(random_images(3, 2)[:, None]))
    size = network.tokens // 2
    allowed = np.stack([np.ones((size, size), bool), np.tri(size, dtype=bool)])
    layers = [
        replace(layer, groups=2, bias=np.ones((layer.heads, size, size), np.int64), allowed=allowed)
        if isinstance(layer, Attention)
        else layer
        for layer in network.layers
    ]
    windowed = replace(network, layers=tuple(layers))
    heads = next(layer.heads for layer in layers if isinstance(layer, Attention))
    for events in account(windowed, config_for(windowed), image):
        words = heads * network.tokens * -(-size // 4)
        assert events.count("bias tables") == words
        assert events.count("masks") == words / 2
        assert events.count("bias additions") == heads * network.tokens * size


def test_rows_by_index_are_read_as_often_as_they_are_named() -> None:
    source = Spikes(np.array([[[1, 0, -1], [0, 0, 1]]], np.int8), np.zeros((1, 2, 3), np.int8))
    layer = ScoreLinear(
        source="image",
        weight=np.ones((2, 6), np.int16),
        bias=np.zeros(2, np.int64),
        gather=np.array([[0, 1], [-1, 0], [0, 0]]),
        pooled=False,
    )
    inputs = gathered(source, layer.gather, PhaseCode().steps)
    events = linear_events(layer, inputs)
    assert (events.rows, events.results, events.inputs, events.spikes) == (3, 3, 6, 3 + 2 + 4)
    assert linear_events(replace(layer, pooled=True), inputs).results == 1


def test_streamed_weights_are_fetched_once_by_both() -> None:
    """Every word that the core takes; inferences side by side share it."""
    floating = random_transformer(1, blocks=2)
    network = converted(floating, random_images(2, 20), PhaseCode())
    image = encode_image(network, floating.entering(random_images(3, 4)[:, None]))
    held = account(network, config_for(network, 12), image)
    config = config_for(network, 12, weight_stream=16)
    words = len(weight_words(compile_network(network, 12, streamed=True), config))
    weights = sum(layer.weight.size for layer in network.layers if hasattr(layer, "weight"))
    for ledger, before in zip(account(network, config, image), held, strict=True):
        assert ledger.count("external memory") == words
        assert ledger.line("external memory").picojoule == pytest.approx(words * 16 * 1300 / 64)
        assert ledger.count("loads of the weight memory") == weights
        assert ledger.count("weight memory") == before.count("weight memory")
        assert before.count("external memory") == 0
    shared = sum((a for a, _ in account_by_layer(network, config, image, 2)), Ledger())
    assert shared.count("external memory") == words * len(image.sign) / 2


def test_what_is_zero_is_neither_fetched_nor_added() -> None:
    """Half of the inputs of a norm's reader: half of its weights, words and additions, on both sides."""
    floating = random_transformer(1, width=16, blocks=1)
    network = converted(floating, random_images(2, 20), PhaseCode())
    image = encode_image(network, floating.entering(random_images(3, 4)[:, None]))
    layers = list(network.layers)
    number = next(n for n, layer in enumerate(layers) if isinstance(layer, Norm)) + 1
    reader = layers[number]
    assert isinstance(reader, SpikingLinear)
    layers[number] = replace(reader, weight=reader.weight * (np.arange(16) < 8))
    half = replace(network, layers=tuple(layers))
    config = config_for(half, 8, weight_stream=16)
    assert config.block == 8
    whole = replace(config, block=0)
    (sparse, few), (full, all_of_it) = (
        account_by_layer(half, made, image)[number] for made in (config, whole)
    )
    for part, every in ((few, all_of_it), (sparse, full)):
        assert 2 * part.count("loads of the weight memory") == every.count("loads of the weight memory")
        assert part.count("external memory") < every.count("external memory")
    assert 2 * few.count("multiplications") == all_of_it.count("multiplications")
    spikes = run_network(half, image).outputs[number - 1]
    assert isinstance(spikes, Spikes)
    fired = np.count_nonzero(spikes.sign[..., :8])
    assert sparse.count("synaptic additions") == pytest.approx(fired * reader.outputs)
    assert full.count("synaptic additions") == spikes.count() * reader.outputs
