"""The float network of a shape with a stem, and its file of 8-bit weights.

Convolutions with batch normalisation, ReLU after all but the last; pre-norm blocks with RMSNorm,
softmax attention and ReLU; mean pooling after the last norm.
"""

from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

from golden.convolution import Convolution
from golden.errors import InputError
from golden.npz import read_npz
from golden.stochastic.network import NetworkShape
from models.shipped.eight_bits import from_eight_bits
from models.shipped.vit_file import load_vit, save_vit
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
        """Put the batch normalisation into weight and bias, which is learned from now on."""
        assert self.norm is not None, "folded once"
        with torch.no_grad():
            scale = self.norm.weight / torch.sqrt(self.norm.running_var + self.norm.eps)
            self.bias.copy_(self.norm.bias - self.norm.running_mean * scale)
            self.weight.mul_(scale[:, None])
        self.bias.requires_grad_()
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


def write_float(network: FloatNetwork, path: Path) -> None:
    """File of a folded network (`models.shipped.vit_file`), matrices in 8 bits."""
    shape = network.shape
    arrays = {
        named(name, shape): tensor.detach().cpu().float().numpy()
        for name, tensor in network.state_dict().items()
    }
    path.parent.mkdir(parents=True, exist_ok=True)
    whole = path.with_suffix(".part.npz")
    save_vit(whole, arrays, small=True, **facts_of(shape))
    whole.replace(path)


def named(name: str, shape: NetworkShape) -> str:
    """Name in the file of an array of the network: the last convolution is the embedding."""
    last = f"stem.{len(shape.stem)}."
    return f"embed.{name.removeprefix(last)}" if name.startswith(last) else name


def facts_of(shape: NetworkShape) -> dict[str, Any]:
    """What the file says beside the arrays."""
    stem = [[layer.outputs, layer.kernel, layer.stride, layer.padding] for layer in shape.stem]
    names = ("side", "channels", "patch", "stride", "padding", "heads")
    sizes = {name: getattr(shape, name) for name in names}
    return sizes | {"stem": stem, "norm_kind": "rms", "activation": "relu"}


def read_float(path: Path, shape: NetworkShape) -> FloatNetwork:
    """The network of such a file, weights as int8 times scale.

    Raises:
        InputError: the file cannot be read, or its arrays are not those of the shape.
    """
    load_vit(path)
    arrays = from_eight_bits(read_npz(path))
    network = FloatNetwork(shape)
    network.fold()
    facts = facts_of(shape)
    names = {named(name, shape): name for name in network.state_dict()}
    said = {name: array.tolist() for name, array in arrays.items() if name in facts}
    state = {
        names.get(name, name): torch.tensor(array) for name, array in arrays.items() if name not in facts
    }
    try:
        if said != facts:
            raise RuntimeError
        network.load_state_dict(state)
    except RuntimeError:
        raise InputError(f"{path}: must be a float network of this shape, its arrays are others") from None
    return network.eval()
