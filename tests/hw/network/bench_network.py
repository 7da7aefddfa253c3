"""A network core behind its load stream, loaded and run beside golden."""

from dataclasses import replace
from fractions import Fraction

import numpy as np
from numpy.typing import NDArray

from golden.code import PhaseCode, Spikes
from golden.convolution import Convolution
from golden.network.attention import Attention
from golden.network.config import NetworkConfig
from golden.network.descriptors import Target
from golden.network.network import Network, encode_image, run_network
from golden.network.program import check_fit, config_for
from golden.network.weights import weight_words
from models.conversion.network import convert_network
from sim.cores.network.beats import image_beats, load_pieces
from tests.golden.network.random_networks import Drawer
from tests.golden.network.rooms import Room
from tests.golden.network.samples import converted, random_images, random_transformer
from tests.hw.attention.scenario import UnitBench, scenario


def sample() -> tuple[Network, NetworkConfig, Spikes]:
    """All kinds of layers, more passes than one, sizes that are no power of two, a bias and a causal mask in
    attention; two images, of any number of tokens."""
    floating = random_transformer(1, width=6, heads=2, hidden=7, classes=3, norm="layer", activation="gelu")
    code = PhaseCode(steps=8, log2_base=Fraction(3, 4))
    network = converted(floating, random_images(2, 20), code)
    size = network.tokens
    bias = np.random.default_rng(4).integers(-9999, 9999, (2, size, size))
    causal = np.tri(size, dtype=bool)[None]
    layers = [
        replace(layer, bias=bias, allowed=causal) if isinstance(layer, Attention) else layer
        for layer in network.layers
    ]
    network = replace(network, layers=tuple(layers))
    image = encode_image(network, floating.entering(random_images(3, 2)[:, None]))
    return network, replace(config_for(network, lanes=6, cluster=3), token_counts=True), image


def sample_by_index() -> tuple[Network, NetworkConfig, NDArray[np.int64]]:
    """A stream that enters, norms and layers of rows by index, hidden neurons of hidden neurons, and scores
    of three rows, more of them than lanes; two inferences."""
    room = Room(
        code=PhaseCode(steps=6), weight_bits=6, lanes=4, tokens=4, features=7, head_dim=2, heads=2,
        wide=False, gathers=True, chains=True, parts=True, streams=1.0,
    )  # fmt: skip
    network, entry = Drawer(np.random.default_rng(24), room).draw()
    assert not isinstance(entry, Spikes)
    config = config_for(network, lanes=4, cluster=2)
    assert config.taps > 1
    assert (config.hidden_lists, config.score_parts) == (2, 1)
    return network, config, entry


def sample_of_stem() -> tuple[Network, NetworkConfig, Spikes]:
    """A convolution with padding on images in colour, their pixels in two codes, then a transformer of the
    patches of its map; two images."""
    stem = (Convolution(outputs=4, kernel=3, stride=1, padding=1),)
    floating = random_transformer(
        5, side=4, patch=2, stride=2, width=4, hidden=5, classes=3, channels=3, stem=stem
    )
    images = np.random.default_rng(6).random((22, 3, 4, 4))
    network = convert_network(floating, [images[2:]], PhaseCode(steps=8), learned=True).network
    assert (network.pixel_codes, len(network.layers[0].gather)) == (2, 16)
    image = encode_image(network, floating.entering(images[:2]))
    return network, config_for(network, lanes=4, cluster=2), image


def sample_streamed() -> tuple[Network, NetworkConfig, NDArray[np.int64]]:
    """The same with a stream of weights."""
    network, config, entry = sample_by_index()
    return network, config_for(network, config.lanes, config.cluster, weight_stream=16), entry


@scenario("streamed")
async def weights_from_a_stream(bench: UnitBench, rng: np.random.Generator) -> None:
    network, config, entry = sample_streamed()
    program = check_fit(network, config)
    bench.send("i_load", load_pieces(program, config))
    words = weight_words(program, config)
    bench.expect("o_store", words)
    bench.send("i_image", image_beats(entry))
    bench.send("i_weights", np.tile(words, len(entry)))
    # pass by pass, each of all rows
    scores = run_network(network, entry).scores
    outputs = [op.outputs for op in program.linear if op.target is Target.scores]
    passes = np.split(scores, np.cumsum(outputs)[:-1], axis=-1)
    expect_scores(bench, np.concatenate([part.reshape(len(scores), -1) for part in passes], axis=-1))


@scenario("by_index")
async def scores_of_rows(bench: UnitBench, rng: np.random.Generator) -> None:
    network, config, entry = sample_by_index()
    bench.send("i_load", load_pieces(check_fit(network, config), config))
    bench.send("i_image", image_beats(entry))
    scores = run_network(network, entry).scores
    expect_scores(bench, scores.reshape(len(scores), -1))


@scenario("stem")
async def scores_of_a_stem(bench: UnitBench, rng: np.random.Generator) -> None:
    network, config, image = sample_of_stem()
    bench.send("i_load", load_pieces(check_fit(network, config), config))
    bench.send("i_image", image_beats(image))
    expect_scores(bench, run_network(network, image).scores)


def expect_scores(bench: UnitBench, scores: NDArray[np.int64]) -> None:
    """Scores [inferences, n] as they leave."""
    last = np.zeros(scores.shape, bool)
    last[:, -1] = True
    bench.expect("o_score", {"value": scores.reshape(-1), "last": last.reshape(-1)})


@scenario("network")
async def scores_of_images(bench: UnitBench, rng: np.random.Generator) -> None:
    network, config, image = sample()
    bench.send("i_load", load_pieces(check_fit(network, config), config))
    tokens = np.array([network.tokens - 3, network.tokens])
    bench.send("i_image", image_beats(image, tokens))
    scores = run_network(network, image, tokens=tokens).scores
    last = np.arange(network.classes) == network.classes - 1
    bench.expect("o_score", {"value": scores.reshape(-1), "last": np.tile(last, len(scores))})
