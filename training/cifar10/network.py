"""The float network of a shape with a stem, and its file of 8-bit weights.

Convolutions with batch normalisation, ReLU after all but the last; pre-norm blocks with RMSNorm,
softmax attention and ReLU; mean pooling after the last norm.
"""

from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional

from golden.errors import InputError
from golden.npz import read_npz
from golden.stochastic.network import NetworkShape
from golden.stochastic.rows import Convolution
from training.ssa_model import convolve


class RmsNorm(nn.Module):
    def __init__(self, width: int) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.ones(width))

    def forward(self, x: Tensor) -> Tensor:
        return x * torch.rsqrt(x.square().mean(-1, keepdim=True) + 1e-6) * self.weight


class StemLayer(nn.Module):
    """Convolution and batch normalisation, weights [outputs, taps * inputs]."""

    def __init__(self, inputs: int, layer: Convolution) -> None:
        super().__init__()
        self.layer = layer
        self.weight = nn.Parameter(torch.empty(layer.outputs, layer.taps * inputs))
        nn.init.kaiming_normal_(self.weight)
        self.bias = nn.Parameter(torch.zeros(layer.outputs), requires_grad=False)
        self.norm: nn.BatchNorm1d | None = nn.BatchNorm1d(layer.outputs)

    def fold(self) -> None:
        """Put the batch normalisation into weight and bias."""
        assert self.norm is not None, "folded once"
        with torch.no_grad():
            scale = self.norm.weight / torch.sqrt(self.norm.running_var + self.norm.eps)
            self.bias.copy_(self.norm.bias - self.norm.running_mean * scale)
            self.weight.mul_(scale[:, None])
        self.norm = None

    def forward(self, x: Tensor) -> Tensor:
        if self.norm is None:
            return convolve(x, self.weight, self.bias, self.layer)
        y = convolve(x, self.weight, None, self.layer)
        return self.norm(y.reshape(-1, y.shape[-1])).reshape(y.shape)


class Block(nn.Module):
    def __init__(self, shape: NetworkShape) -> None:
        super().__init__()
        self.heads = shape.heads
        self.norm1, self.norm2 = RmsNorm(shape.width), RmsNorm(shape.width)
        self.qkv = nn.Linear(shape.width, 3 * shape.width)
        self.proj = nn.Linear(shape.width, shape.width)
        self.up = nn.Linear(shape.width, shape.hidden)
        self.down = nn.Linear(shape.hidden, shape.width)

    def forward(self, x: Tensor) -> Tensor:
        batch, tokens, width = x.shape
        q, k, v = self.qkv(self.norm1(x)).view(batch, tokens, 3, self.heads, -1).permute(2, 0, 3, 1, 4)
        attention = (q @ k.transpose(-1, -2) / q.shape[-1] ** 0.5).softmax(-1)
        x = x + self.proj((attention.to(v.dtype) @ v).transpose(1, 2).reshape(batch, tokens, width))
        return x + self.down(functional.relu(self.up(self.norm2(x))))


class FloatNetwork(nn.Module):
    def __init__(self, shape: NetworkShape) -> None:
        super().__init__()
        self.shape = shape
        self.stem = nn.ModuleList(
            StemLayer(inputs, layer) for layer, _, inputs in shape.convolutions.values()
        )
        self.position = nn.Parameter(torch.randn(shape.tokens, shape.width) * 0.02)
        self.blocks = nn.ModuleList(Block(shape) for _ in range(shape.depth))
        self.norm = RmsNorm(shape.width)
        self.head = nn.Linear(shape.width, shape.classes)

    def fold(self) -> None:
        for layer in self.stem:
            layer.fold()

    def forward(self, images: Tensor, steps: int = 1) -> Tensor:
        """Logits [B, classes] of images [B, side, side, channels] in 0..255/256; `steps` has no meaning."""
        x = images
        for layer in self.stem[:-1]:
            x = functional.relu(layer(x))
        x = self.stem[-1](x).flatten(1, 2) + self.position
        for block in self.blocks:
            x = block(x)
        return self.head(self.norm(x).mean(1))


def eight_bits(weight: NDArray[np.float32]) -> tuple[NDArray[np.int8], NDArray[np.float32]]:
    """int8 weights [outputs, inputs] and a scale per output: the largest weight of a row is 127."""
    scale = np.maximum(np.abs(weight).max(axis=1), 1e-30).astype(np.float32) / np.float32(127)
    return np.floor(weight / scale[:, None] + 0.5).clip(-127, 127).astype(np.int8), scale


def write_float(network: FloatNetwork, path: Path) -> None:
    """File of a folded network: every matrix `NAME.weight` as int8 [outputs, inputs] with `NAME.scale`
    float32 [outputs], all else as float32."""
    arrays: dict[str, NDArray[np.generic]] = {}
    for name, tensor in network.state_dict().items():
        array = tensor.detach().cpu().float().numpy()
        if name.endswith("weight") and array.ndim == 2:
            arrays[name], arrays[f"{name.removesuffix('weight')}scale"] = eight_bits(array)
        else:
            arrays[name] = array
    path.parent.mkdir(parents=True, exist_ok=True)
    whole = path.with_suffix(".part.npz")
    np.savez_compressed(whole, **arrays)
    whole.replace(path)


def read_float(path: Path, shape: NetworkShape) -> FloatNetwork:
    """The network of such a file, weights as int8 times scale.

    Raises:
        InputError: the file cannot be read, or its arrays are not those of the shape.
    """
    arrays = read_npz(path)
    network = FloatNetwork(shape)
    network.fold()
    state = {}
    for name, array in arrays.items():
        scale = arrays.get(f"{name.removesuffix('weight')}scale")
        if array.dtype == np.int8 and scale is not None and scale.shape == array.shape[:1]:
            array = array.astype(np.float32) * scale[:, None]
        if array.dtype != np.float32:
            raise InputError(f"{path}: {name:.80} must be float32, or int8 with a scale, not {array.dtype}")
        if not name.endswith("scale"):
            state[name] = torch.tensor(array)
    try:
        network.load_state_dict(state)
    except RuntimeError:
        raise InputError(f"{path}: must be a float network of this shape, its arrays are others") from None
    return network.eval()
