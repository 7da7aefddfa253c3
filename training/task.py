"""Images on a device, their augmentation, losses and measurements, for networks of any kind."""

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from studies.data.datasets import Images

# Share of the teacher's outputs in the loss
TAUGHT = 0.7
# Weight in the loss of what a lane reads above `reads`, as a share of it
READING = 1.0
# Test images that are classified together
BATCH = 500


@dataclass(frozen=True, kw_only=True)
class Augmentation:
    """What happens to the images of a batch.

    Attributes:
        shift: pixels by which they are moved at most, along both axes.
        flip: mirror half of them.
        hole: edge of the square of grey that is put into half of them (cutout); 0 for none.
    """

    shift: int
    flip: bool
    hole: int = 0

    def __call__(self, images: Tensor) -> Tensor:
        """Images [B, H, W, C] in 0..1, one place per image: one per batch would show in its statistics."""
        count, size = images.shape[:2]
        device = images.device
        padded = functional.pad(images, (0, 0, *(self.shift,) * 4))
        dy, dx = torch.randint(0, 2 * self.shift + 1, (2, count, 1), device=device)
        span = torch.arange(size, device=device)
        rows, columns = (dy + span)[:, :, None], (dx + span)[:, None, :]
        moved = padded[torch.arange(count, device=device)[:, None, None], rows, columns]
        if self.flip:
            mirrored = torch.rand(count, device=device) < 0.5
            moved = torch.where(mirrored[:, None, None, None], moved.flip(2), moved)
        if self.hole:
            corner = torch.randint(1 - self.hole, size, (2, count, 1), device=device)
            inside = (span >= corner) & (span < corner + self.hole)
            hole = inside[0][:, :, None] & inside[1][:, None, :]
            hole &= torch.rand(count, 1, 1, device=device) < 0.5
            moved = torch.where(hole[..., None], torch.full_like(moved, 0.5), moved)
        return moved


class Task:
    """Images and labels of a data set, the network that learns them and, if any, the one that teaches it."""

    def __init__(
        self,
        raw: Images,
        device: torch.device,
        augment: Augmentation,
        *,
        smoothing: float,
        images: int | None = None,
        temperature: float = 1.0,
        reads: float | None = None,
    ) -> None:
        """Args:
        raw: the data set.
        device: where to train.
        augment: of training images.
        smoothing: of labels.
        images: train on about so many of the images.
        temperature: by which the outputs of teacher and network are divided where they are compared
            (G. Hinton et al., Distilling the knowledge in a neural network, 2015).
        reads: of a spiking network, weights that a lane should read per image and time step at most.
        """
        self.temperature, self.reads = temperature, reads
        self.device, self.augment, self.smoothing = device, augment, smoothing
        # Every n-th, since they may be sorted by class
        chosen = np.arange(0, len(raw.train), -(-len(raw.train) // (images or len(raw.train))))
        self.images = torch.tensor(raw.train[chosen], device=device)
        self.labels = torch.tensor(raw.train_labels[chosen], device=device)
        self.test = torch.tensor(raw.test, device=device)
        self.test_labels = torch.tensor(raw.test_labels, device=device)
        self.network: nn.Module
        self.teacher: nn.Module | None = None

    def loss(self, index: Tensor, steps: int) -> Tensor:
        """Of the images with these indices, at T; on an accelerator in bfloat16 where that is safe."""
        batch = self.augment(self.images[index].float() / 256)
        with torch.autocast(self.device.type, torch.bfloat16, enabled=self.device.type == "cuda"):
            logits = self.network(batch, steps).float()
            loss = functional.cross_entropy(logits, self.labels[index], label_smoothing=self.smoothing)
            if self.teacher is not None:
                heat = self.temperature
                with torch.no_grad():
                    taught = (self.teacher(batch, 1).float() / heat).softmax(-1)
                lesson = heat**2 * functional.cross_entropy(logits / heat, taught)
                loss = (1 - TAUGHT) * loss + TAUGHT * lesson
            if self.reads is not None:
                loss = loss + READING * functional.relu(self.network.reads() / self.reads - 1)
            return loss

    @torch.no_grad()
    def accuracy(self, network: nn.Module, steps: int) -> float:
        """In % of all test images, in float32; random numbers are afterwards as they were before."""
        network.eval()
        devices = [0] if self.device.type == "cuda" else []
        hits = 0
        torch.compiler.set_stance("force_eager")  # one compilation, for the batches of the training
        with torch.random.fork_rng(devices=devices):
            torch.manual_seed(0)
            for images, labels in zip(self.test.split(BATCH), self.test_labels.split(BATCH), strict=True):
                hits += int((network(images.float() / 256, steps).argmax(1) == labels).sum())
        torch.compiler.set_stance("default")
        return 100 * hits / len(self.test)
