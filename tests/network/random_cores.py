"""Random cores, each with random networks that fit it: sizes, norms, codes, saturated integers."""

from dataclasses import dataclass, replace
from fractions import Fraction

import numpy as np

from golden.code import PhaseCode, Spikes
from golden.errors import InputError
from golden.network.config import NetworkConfig
from golden.network.convert import convert
from golden.network.layers import Layer, Linear
from golden.network.network import Network, encode_image
from golden.network.program import joint_config
from tests.network.compare import assert_integers, assert_integers_and_cycles
from tests.network.samples import random_images, random_transformer

CODES = [(16, "1/2"), (8, "3/4"), (24, "2/7"), (24, "1/3"), (16, "3/7"), (12, "1"), (5, "1/2")]
NORMS = ("rms", "layer", "batch")
# Side, patch and stride of images that give 1, 4, 9 or 16 tokens
CUTS = ((4, 4, 4), (8, 4, 4), (6, 3, 3), (7, 3, 2), (8, 2, 2), (10, 4, 2))
MOST_IMAGES = 3


@dataclass(frozen=True)
class RandomCore:
    """A core, and networks with their images [images, tokens, pixels]."""

    config: NetworkConfig
    networks: list[tuple[Network, Spikes]]


def random_core(seed: int, count: int) -> RandomCore:
    """A core that is as large as `count` random networks need."""
    rng = np.random.default_rng([seed, count])
    steps, log2_base = CODES[rng.integers(len(CODES))]
    code = PhaseCode(steps=steps, log2_base=Fraction(log2_base))
    cluster = int(rng.integers(1, 9))
    lanes = cluster * int(rng.integers(max(1, 4 // cluster), 6))
    weight_bits = int(rng.choice([3, 5, 8, 8]))
    networks = [random_network(rng, code, weight_bits, lanes) for _ in range(count)]
    config = joint_config([network for network, _ in networks], lanes=lanes, cluster=cluster)
    return RandomCore(config, networks)


def random_network(
    rng: np.random.Generator, code: PhaseCode, weight_bits: int, lanes: int
) -> tuple[Network, Spikes]:
    """A network and images; one of them may be silent, one saturated."""
    side, patch, stride = CUTS[rng.integers(len(CUTS))]
    heads, head_dim = int(rng.integers(1, 5)), int(rng.integers(1, 10))
    floating = random_transformer(
        int(rng.integers(1 << 30)), side=side, patch=patch, stride=stride,
        width=heads * head_dim, heads=heads, hidden=int(rng.integers(1, 50)), blocks=int(rng.integers(1, 4)),
        classes=int(rng.integers(1, lanes + 1)), norm=str(rng.choice(NORMS)),
        activation=str(rng.choice(["relu", "gelu"])),
    )  # fmt: skip
    calibration = random_images(int(rng.integers(1 << 30)), 20, side)
    network = convert(floating, calibration, code, weight_bits=weight_bits)
    if rng.random() < 0.3:
        network = saturated(network, rng)
    images = random_images(int(rng.integers(1 << 30)), int(rng.integers(1, MOST_IMAGES + 1)), side)
    image = encode_image(network, floating.patches(images))
    kind = rng.integers(4)
    if kind == 0:
        image.sign[0], image.phase[0] = 0, code.steps
    elif kind == 1:
        image.sign[-1], image.phase[-1] = rng.choice([-1, 1], image.sign.shape[1:]), 0
    return network, image


def saturated(network: Network, rng: np.random.Generator) -> Network:
    """The network with one linear layer of largest weights, of random or of equal sign, where it may be."""
    index = int(rng.choice([n for n, layer in enumerate(network.layers) if isinstance(layer, Linear)]))
    layers: list[Layer] = list(network.layers)
    layer = layers[index]
    assert isinstance(layer, Linear)
    largest = (1 << network.weight_bits - 1) - 1
    signs = rng.choice([-1, 1], layer.weight.shape) if rng.random() < 0.5 else 1
    weight = np.full(layer.weight.shape, largest * signs, np.int16)
    layers[index] = replace(layer, weight=weight)
    try:
        return replace(network, layers=tuple(layers))
    except InputError:  # the stream could leave its word
        return network


@dataclass
class Checked:
    """What was compared."""

    cores: int = 0
    networks: int = 0
    images: int = 0
    integers: int = 0
    timed: int = 0
    resets: int = 0


def check_core(core: RandomCore, seed: int, checked: Checked) -> None:
    """Every network in the RTL: integers always; cycles at full rate; some with pauses, some with a reset.

    Raises:
        AssertionError: an integer or a cycle differs.
    """
    rng = np.random.default_rng([seed, 1])
    checked.cores += 1
    for network, image in core.networks:
        if rng.random() < 0.3:
            pauses, pause_seed = float(rng.uniform(0.1, 0.6)), int(rng.integers(1 << 16))
            measured = assert_integers(network, core.config, image, pauses=pauses, seed=pause_seed)
        else:
            measured = assert_integers_and_cycles(network, core.config, image)
            checked.timed += 1
            if rng.random() < 0.3:
                cycle = int(rng.integers(1, measured.result.cycles - 1))
                assert_integers_and_cycles(network, core.config, image, reset_at=cycle)
                checked.resets += 1
        checked.networks += 1
        checked.images += image.shape[0]
        checked.integers += measured.compared
