"""Random networks for tests: untrained weights of the right sizes, deterministic by seed."""

import numpy as np

from golden.code import PhaseCode
from golden.convolution import Convolution
from golden.network.network import Network
from models.conversion.network import convert_network
from models.floating.vit import Vit
from models.shipped.vit_file import vit_of


def random_transformer(
    seed: int,
    *,
    side: int = 8,
    patch: int = 4,
    stride: int = 4,
    width: int = 16,
    heads: int = 2,
    hidden: int = 24,
    blocks: int = 1,
    classes: int = 5,
    norm: str = "rms",
    activation: str = "relu",
    channels: int = 1,
    stem: tuple[Convolution, ...] = (),
) -> Vit:
    """Channels are those of a network with a stem; others see grey images."""
    rng = np.random.default_rng(seed)
    across, reads = side, [channels]
    for convolution in stem:
        across = convolution.across(across)
        reads.append(convolution.outputs)
    tokens = ((across - patch) // stride + 1) ** 2
    parameters = {"position": 0.3 * rng.standard_normal((tokens, width))}

    def linear(name: str, inputs: int, outputs: int) -> None:
        parameters[f"{name}.weight"] = rng.standard_normal((outputs, inputs)) / np.sqrt(inputs)
        parameters[f"{name}.bias"] = 0.1 * rng.standard_normal(outputs)

    def affine(name: str) -> None:
        parameters[f"{name}.weight"] = rng.uniform(0.5, 1.5, width)
        if norm != "rms":
            parameters[f"{name}.bias"] = 0.1 * rng.standard_normal(width)

    linear("embed", patch * patch * reads[-1], width)
    for index, convolution in enumerate(stem):
        linear(f"stem.{index}", convolution.taps * reads[index], convolution.outputs)
    for index in range(blocks):
        block = f"blocks.{index}"
        affine(f"{block}.norm1")
        affine(f"{block}.norm2")
        linear(f"{block}.qkv", width, 3 * width)
        linear(f"{block}.proj", width, width)
        linear(f"{block}.up", width, hidden)
        linear(f"{block}.down", hidden, width)
    affine("norm")
    linear("head", width, classes)
    facts = {"side": side, "patch": patch, "stride": stride, "heads": heads}
    facts |= {"norm_kind": norm, "activation": activation}
    if stem:
        rows = [list(vars(convolution).values()) for convolution in stem]
        facts |= {"stem": rows, "channels": channels, "padding": 0}
    return vit_of(parameters | {name: np.array(value) for name, value in facts.items()})


def random_images(seed: int, count: int, side: int = 8) -> np.ndarray:
    rng = np.random.default_rng(seed)
    return np.where(rng.random((count, side, side)) < 0.6, rng.random((count, side, side)), 0.0)


def converted(network: Vit, images: np.ndarray, code: PhaseCode, weight_bits: int = 8) -> Network:
    """Integers of a network, calibrated on images [n, side, side]."""
    return convert_network(network, [images[:, None]], code, weight_bits).network
