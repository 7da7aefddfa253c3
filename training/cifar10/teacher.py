"""A residual network that is only a teacher: its outputs are targets of the small networks.

After D. Page, How to train your ResNet (2018): nine layers of 3x3 convolutions with batch
normalisation, two of the three stages with a residual pair.
"""

import pickle
from pathlib import Path

import torch
from torch import Tensor, nn
from torch.nn import functional

from golden.errors import InputError

# Of all pixels of the training set, about
MEAN, DEVIATION = 0.47, 0.25
# Of the outputs: the softmax begins soft
OUTPUT_SCALE = 0.125


class ConvolutionLayer(nn.Module):
    """Convolution, batch normalisation, ReLU, and where asked the maximum of 2 x 2."""

    def __init__(self, inputs: int, outputs: int, *, pool: bool = False) -> None:
        super().__init__()
        self.convolution = nn.Conv2d(inputs, outputs, 3, padding=1, bias=False)
        self.norm = nn.BatchNorm2d(outputs)
        self.pool = pool

    def forward(self, x: Tensor) -> Tensor:
        x = functional.relu(self.norm(self.convolution(x)))
        return functional.max_pool2d(x, 2) if self.pool else x


class TeacherNetwork(nn.Module):
    """6.6 million parameters, CIFAR-10's images and classes."""

    def __init__(self) -> None:
        super().__init__()
        self.first = ConvolutionLayer(3, 64)
        self.stages = nn.ModuleList(
            ConvolutionLayer(inputs, 2 * inputs, pool=True) for inputs in (64, 128, 256)
        )
        self.pairs = nn.ModuleDict(
            {
                str(stage): nn.Sequential(*(ConvolutionLayer(width, width) for _ in range(2)))
                for stage, width in ((0, 128), (2, 512))
            }
        )
        self.classes = nn.Linear(512, 10, bias=False)
        self.to(memory_format=torch.channels_last)

    def forward(self, images: Tensor, steps: int = 1) -> Tensor:
        """Logits [B, 10] of images [B, 32, 32, 3] in 0..255/256; `steps` has no meaning."""
        x = self.first((images.permute(0, 3, 1, 2) - MEAN) / DEVIATION)
        for number, stage in enumerate(self.stages):
            x = stage(x)
            if str(number) in self.pairs:
                x = x + self.pairs[str(number)](x)
        return self.classes(x.amax((2, 3))) * OUTPUT_SCALE


def write_teacher(network: TeacherNetwork, path: Path) -> None:
    part = path.with_suffix(".part")
    torch.save(network.state_dict(), part)
    part.replace(path)


def read_teacher(path: Path) -> TeacherNetwork:
    """The network of such a file, on the CPU.

    Raises:
        InputError: the file cannot be read, or is of another network.
    """
    network = TeacherNetwork()
    try:
        network.load_state_dict(torch.load(path, map_location="cpu", weights_only=True))
    except OSError as error:
        raise InputError(f"{path}: cannot be read ({error.strerror or error})") from None
    except (EOFError, RuntimeError, pickle.UnpicklingError, LookupError, TypeError, AttributeError):
        raise InputError(f"{path}: must be what `training.cifar10 teacher` wrote") from None
    return network.eval()
