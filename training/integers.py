"""Between a training network and the integers of `golden.stochastic.network`."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from golden.stochastic.network import THRESHOLD, network_arrays
from golden.stochastic.network import SpikingNetwork as IntegerNetwork
from training.ssa_model import SpikingNetwork


def export(network: SpikingNetwork, kind: str, path: Path) -> None:
    """The integers of a folded network, named as `golden.stochastic.network` reads them."""

    def units(tensor: Tensor, limit: int) -> np.ndarray:
        return np.clip(np.floor(tensor.detach().cpu().numpy() * THRESHOLD + 0.5), -limit, limit)

    arrays = {"position": units(network.position, 32767).astype(np.int16)}
    for name, layer in layers(network):
        arrays[f"{name}_weight"] = units(layer.weight, 127).astype(np.int8)
        arrays[f"{name}_bias"] = units(layer.bias, 32767).astype(np.int16)
    integers = IntegerNetwork(shape=network.shape, kind=kind, arrays=arrays)
    path.parent.mkdir(parents=True, exist_ok=True)
    np.savez_compressed(path, **network_arrays(integers))


def layers(network: SpikingNetwork) -> Iterator[tuple[str, torch.nn.Linear]]:
    """All layers under the names they have in a network's file."""
    for number, layer in enumerate(network.stem):
        yield f"stem{number}", layer.linear
    yield "embed", network.embed.linear
    yield "classes", network.classes
    for number, block in enumerate(network.blocks):
        for name in ("q", "k", "v", "o", "up", "down"):
            yield f"block{number}_{name}", getattr(block, name).linear


def restore(network: SpikingNetwork, saved: IntegerNetwork) -> None:
    """Weights of a folded network from its integers."""
    with torch.no_grad():
        network.position.copy_(torch.tensor(saved.arrays["position"] / THRESHOLD))
        for name, layer in layers(network):
            layer.weight.copy_(torch.tensor(saved.arrays[f"{name}_weight"] / THRESHOLD))
            layer.bias.copy_(torch.tensor(saved.arrays[f"{name}_bias"] / THRESHOLD))
