"""Vision transformers with three kinds of attention, for training: float, LIF and SSA.

The spiking networks follow the integer network of `golden.stochastic.network` operation for
operation; with `quantised` set, every weight, potential and leak is rounded as it is there, so
that only the random numbers differ. Gradients pass spikes by a surrogate, roundings and
Bernoulli draws straight through.
"""

from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

from golden.convolution import Convolution
from golden.stochastic.network import LIF_ATTENTION_GAIN, THRESHOLD, NetworkShape
from golden.stochastic.program import LANES

UNIT = float(THRESHOLD)
# Width of the surrogate: gradient of a triangle of this half base around the threshold
SURROGATE_WIDTH = 1.0
LEAK = 0.5  # 1 - 1/tau with tau = 2


def _lif_forward(current: Tensor, quantised: bool) -> tuple[Tensor, Tensor]:
    """(spikes, slope of the surrogate) of LIF neurons, currents [T, neurons]."""
    spikes, slopes = [], []
    v = torch.zeros_like(current[0], dtype=torch.float32)
    for x in current:
        v = v - (torch.floor(v * (UNIT / 2)) / UNIT if quantised else LEAK * v) + x
        fired = (v >= 1).to(v.dtype)
        spikes.append(fired.to(x.dtype))
        slopes.append((1 - (v - 1).abs() / SURROGATE_WIDTH).clamp(min=0).to(x.dtype))
        v = v * (1 - fired)
    return torch.stack(spikes), torch.stack(slopes)


def _lif_backward(gradient: Tensor, spikes: Tensor, slopes: Tensor) -> Tensor:
    """Gradient of the currents; the leak is differentiated, the reset is not."""
    results = []
    carried = torch.zeros_like(gradient[0], dtype=torch.float32)
    for t in range(len(gradient) - 1, -1, -1):
        result = gradient[t] * slopes[t] + carried
        results.append(result.to(gradient.dtype))
        if t:
            carried = LEAK * result * (1 - spikes[t - 1])
    return torch.stack(results[::-1])


# Compiled once per T and dtype, four times faster than step by step on a CPU; the phases of a training
# need more of them than PyTorch keeps by itself
torch._dynamo.config.recompile_limit = 64
_compiled_forward = torch.compile(_lif_forward, dynamic=True)
_compiled_backward = torch.compile(_lif_backward, dynamic=True)


class _Lif(torch.autograd.Function):
    """LIF over the first axis (time): v <- v - leak(v) + x, spike at v >= 1, reset to zero."""

    @staticmethod
    def forward(ctx: Any, current: Tensor, quantised: bool) -> Tensor:
        forward = _compiled_forward if ctx.needs_input_grad[0] else _lif_forward
        spikes, slopes = forward(current.reshape(len(current), -1), quantised)
        ctx.save_for_backward(spikes, slopes)
        return spikes.reshape(current.shape)

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor, None]:  # type: ignore[override]
        flat = gradient.reshape(len(gradient), -1).contiguous()
        return _compiled_backward(flat, *ctx.saved_tensors).reshape(gradient.shape), None


class _Bernoulli(torch.autograd.Function):
    """A spike with the given probability; the gradient passes straight through."""

    @staticmethod
    def forward(ctx: Any, probability: Tensor) -> Tensor:
        drawn = torch.rand_like(probability, dtype=torch.float32)
        return (drawn < probability).to(probability.dtype)

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> Tensor:  # type: ignore[override]
        return gradient


def _rounded(weight: Tensor, limit: int | None = 127) -> Tensor:
    """`weight` at the resolution of the integer network, gradient straight through."""
    units = torch.floor(weight * UNIT + 0.5)
    if limit is not None:
        units = units.clamp(-limit, limit)
    return weight + (units / UNIT - weight).detach()


class SynapseLayer(nn.Module):
    """Linear layer with batch normalisation that is folded into it before quantised training."""

    def __init__(self, inputs: int, outputs: int, gain: float = 1.0, offset: float = 0.0) -> None:
        super().__init__()
        self.linear = nn.Linear(inputs, outputs)
        self.norm: nn.BatchNorm1d | None = nn.BatchNorm1d(outputs)
        nn.init.constant_(self.norm.weight, gain)
        nn.init.constant_(self.norm.bias, offset)
        self.quantised = False
        self.passes: float = -(-outputs // LANES)
        self.counted = False
        self.reads = torch.zeros(())

    def fold(self) -> None:
        """Replace weight and bias by those that include the batch normalisation; quantise from now on."""
        assert self.norm is not None, "folded once"
        with torch.no_grad():
            scale = self.norm.weight / torch.sqrt(self.norm.running_var + self.norm.eps)
            self.linear.bias.copy_((self.linear.bias - self.norm.running_mean) * scale + self.norm.bias)
            self.linear.weight.mul_(scale[:, None])
        self.norm = None
        self.quantised = True

    def forward(self, x: Tensor) -> Tensor:
        if self.counted:
            self.reads = self.passes * x.sum(dtype=torch.float32) / (len(x) * x.shape[1])
        if self.quantised:
            return self.synapses(x, _rounded(self.linear.weight), _rounded(self.linear.bias, None))
        y = self.synapses(x, self.linear.weight, self.linear.bias)
        assert self.norm is not None, "present until folded"
        return self.norm(y.reshape(-1, y.shape[-1])).reshape(y.shape)

    def synapses(self, x: Tensor, weight: Tensor, bias: Tensor | None) -> Tensor:
        return functional.linear(x, weight, bias)


def convolve(x: Tensor, weight: Tensor, bias: Tensor | None, layer: Convolution) -> Tensor:
    """[..., side, side, inputs] -> [..., across, across, outputs], weights as rows by index have them:
    [outputs, taps * inputs]."""
    pixels = x.reshape(-1, *x.shape[-3:]).permute(0, 3, 1, 2)
    kernel = weight.reshape(len(weight), layer.kernel, layer.kernel, -1).permute(0, 3, 1, 2)
    y = functional.conv2d(pixels, kernel, bias, layer.stride, layer.padding).permute(0, 2, 3, 1)
    return y.reshape(*x.shape[:-3], *y.shape[1:])


class ConvolutionLayer(SynapseLayer):
    """The same for a convolution, [..., side, side, inputs] -> [..., across, across, outputs]."""

    def __init__(self, inputs: int, layer: Convolution) -> None:
        super().__init__(layer.taps * inputs, layer.outputs)
        self.layer = layer
        # How many rows by index read a spike, but for those at the edges
        self.passes *= layer.taps / layer.stride**2

    def synapses(self, x: Tensor, weight: Tensor, bias: Tensor | None) -> Tensor:
        return convolve(x, weight, bias, self.layer)


class SpikingBlock(nn.Module):
    """Attention and feed-forward part; the residual stream is a current, every layer sees spikes."""

    def __init__(self, shape: NetworkShape, kind: str) -> None:
        super().__init__()
        self.shape, self.kind = shape, kind
        self.quantised = False
        # Q and K spike often at first: the score is the product of their rates
        self.q, self.k, self.v = (SynapseLayer(shape.width, shape.width, offset=0.5) for _ in range(3))
        self.o = SynapseLayer(shape.width, shape.width, gain=0.5)
        self.up = SynapseLayer(shape.width, shape.hidden)
        self.down = SynapseLayer(shape.hidden, shape.width, gain=0.5)

    def attend(self, q: Tensor, k: Tensor, v: Tensor) -> Tensor:
        """Output spikes of q, k, v [T, B, heads, N, d]."""
        counts = q @ k.transpose(-1, -2)
        if self.kind == "ssa":
            score = _Bernoulli.apply(counts / self.shape.head_dim)
            return _Bernoulli.apply(score @ v / self.shape.tokens)
        return _Lif.apply((counts @ v) * (LIF_ATTENTION_GAIN / UNIT), self.quantised)

    def forward(self, x: Tensor) -> Tensor:
        steps, batch, tokens, width = x.shape
        spikes = _Lif.apply(x, self.quantised)
        heads = [
            _Lif.apply(layer(spikes), self.quantised)
            .reshape(steps, batch, tokens, self.shape.heads, self.shape.head_dim)
            .transpose(2, 3)
            for layer in (self.q, self.k, self.v)
        ]
        out = self.attend(*heads).transpose(2, 3).reshape(steps, batch, tokens, width)
        x = x + self.o(out)
        spikes = _Lif.apply(x, self.quantised)
        hidden = _Lif.apply(self.up(spikes), self.quantised)
        return x + self.down(hidden)


class SpikingNetwork(nn.Module):
    """Stem and patches -> currents -> spiking blocks -> spike counts -> classes."""

    def __init__(self, shape: NetworkShape, kind: str) -> None:
        super().__init__()
        self.shape = shape
        layers = [ConvolutionLayer(inputs, layer) for layer, _, inputs in shape.convolutions.values()]
        self.stem, self.embed = nn.ModuleList(layers[:-1]), layers[-1]
        self.position = nn.Parameter(torch.randn(shape.tokens, shape.width) * 0.1)
        self.blocks = nn.ModuleList(SpikingBlock(shape, kind) for _ in range(shape.depth))
        self.classes = nn.Linear(shape.width, shape.classes)
        self.quantised = False

    def fold(self) -> None:
        """Fold all batch normalisations; from now on the forward pass is the integer network's."""
        self.quantised = True
        for module in self.modules():
            if isinstance(module, SynapseLayer):
                module.fold()
            elif isinstance(module, SpikingBlock):
                module.quantised = True

    def count(self) -> None:
        """From now on `reads` can be asked for."""
        for layer in self._reading():
            layer.counted = True

    def reads(self) -> Tensor:
        """Weights that a lane of the core reads for the last batch, per image and time step.

        It reads one per spike and pass. Those of pixels and of the class scores are left out.
        """
        return torch.stack([layer.reads for layer in self._reading()]).sum()

    def _reading(self) -> list[SynapseLayer]:
        """Layers that read spikes: all but the first."""
        first, *_ = [*self.stem, self.embed]
        return [m for m in self.modules() if isinstance(m, SynapseLayer) and m is not first]

    def forward(self, images: Tensor, steps: int) -> Tensor:
        """Logits [B, classes] of images [B, side, side, channels] with pixels in 0..255/256."""
        first, *others = [*self.stem, self.embed]
        current = self._pixels(first, images)
        x = current.expand(steps, *current.shape)
        for layer in others:
            x = layer(_Lif.apply(x, self.quantised))
        position = _rounded(self.position, None) if self.quantised else self.position
        x = x.flatten(2, 3) + position
        for block in self.blocks:
            x = block(x)
        rates = _Lif.apply(x, self.quantised).mean(dim=(0, 2))
        if self.quantised:
            return functional.linear(rates, _rounded(self.classes.weight), _rounded(self.classes.bias, None))
        return self.classes(rates)

    def _pixels(self, layer: SynapseLayer, images: Tensor) -> Tensor:
        """Currents of the first layer, which rounds its sums before it adds the bias."""
        if not self.quantised:
            return layer(images)
        sums = layer.synapses(images, _rounded(layer.linear.weight), None)
        return _rounded(sums, None) + _rounded(layer.linear.bias, None)


class FloatNetwork(nn.Module):
    """The usual vision transformer of the same shape: layer norm, softmax attention, GELU."""

    def __init__(self, shape: NetworkShape) -> None:
        super().__init__()
        self.shape = shape
        layer, _, inputs = shape.convolutions["embed"]
        self.embed = nn.Linear(layer.taps * inputs, shape.width)
        self.position = nn.Parameter(torch.randn(shape.tokens, shape.width) * 0.1)
        layer = nn.TransformerEncoderLayer(
            shape.width, shape.heads, shape.hidden, dropout=0.0, activation="gelu",
            batch_first=True, norm_first=True,
        )  # fmt: skip
        self.blocks = nn.TransformerEncoder(layer, shape.depth, enable_nested_tensor=False)
        self.norm = nn.LayerNorm(shape.width)
        self.classes = nn.Linear(shape.width, shape.classes)

    def forward(self, images: Tensor, steps: int) -> Tensor:
        """Logits [B, classes]; `steps` has no meaning here."""
        patches = convolve(images, self.embed.weight, self.embed.bias, self.shape.embedding)
        x = self.blocks(patches.flatten(1, 2) + self.position)
        return self.classes(self.norm(x).mean(dim=1))
