"""A network core behind its load stream, loaded and run beside golden."""

from fractions import Fraction

import numpy as np

from golden.code import PhaseCode, Spikes
from golden.network.config import NetworkConfig
from golden.network.network import Network, encode_image, run_network
from golden.network.program import check_fit, config_for
from sim.cores.network.beats import image_beats, load_pieces
from tests.golden.network.samples import converted, random_images, random_transformer
from tests.hw.attention.scenario import UnitBench, scenario


def sample() -> tuple[Network, NetworkConfig, Spikes]:
    """All kinds of layers, more passes than one, sizes that are no power of two; two images."""
    floating = random_transformer(1, width=6, heads=2, hidden=7, classes=3, norm="layer", activation="gelu")
    code = PhaseCode(steps=8, log2_base=Fraction(3, 4))
    network = converted(floating, random_images(2, 20), code)
    image = encode_image(network, floating.entering(random_images(3, 2)[:, None]))
    return network, config_for(network, lanes=6, cluster=3), image


@scenario("network")
async def scores_of_images(bench: UnitBench, rng: np.random.Generator) -> None:
    network, config, image = sample()
    bench.send("i_load", load_pieces(check_fit(network, config), config))
    bench.send("i_image", image_beats(image))
    scores = run_network(network, image).scores
    last = np.arange(network.classes) == network.classes - 1
    bench.expect("o_score", {"value": scores.reshape(-1), "last": np.tile(last, len(scores))})
