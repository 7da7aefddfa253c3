"""Train a Swin transformer of two stages on Fashion-MNIST, with timm and as timm saves it.

    python -m training.swin_fashion --data DIR --out build/swin-fashion

DIR holds fashion-mnist/. The images are padded to 32 x 32: 8 x 8 patches, windows of 4 x 4 that the second
block shifts, then 4 x 4 merged patches. What is written is a folder of timm's own, weights in float16 and
config.json, and data/samples.npz with 300 of the images. Run again after an interruption, it goes on from the
last epoch. Needs PyTorch and timm.
"""

import argparse
from pathlib import Path

import numpy as np
import timm
import torch
from timm.models import save_for_hf
from torch import Tensor, nn
from torch.nn import functional

from studies.data.datasets import load_images
from training.loop import Phase, Progress, train
from training.options import at_least, positive, start
from training.task import Augmentation, Task

ARCHITECTURE = "swin_tiny_patch4_window7_224"
SIDE = 32
# Where the network differs from the architecture
CHANGES = {
    "img_size": SIDE,
    "in_chans": 1,
    "num_classes": 10,
    "window_size": 4,
    "embed_dim": 48,
    "depths": [2, 2],
    "num_heads": [3, 6],
    "mlp_ratio": 2.0,
    "drop_path_rate": 0.0,
}
# Pixels are in 0..1, and none is cut off
PREPARED = {"mean": (0.0,), "std": (1.0,), "crop_pct": 1.0}
SAMPLES = 300
LABEL_SMOOTHING = 0.05
# Do not change the weights
HARMLESS = ("data", "out", "every")


class Padded(nn.Module):
    """The network behind the border that makes its images square numbers of windows."""

    def __init__(self) -> None:
        super().__init__()
        self.swin = timm.create_model(ARCHITECTURE, pretrained=False, **CHANGES)

    def forward(self, images: Tensor, steps: int) -> Tensor:
        """Logits [B, classes] of images [B, 28, 28, 1] in 0..1; a float network knows no steps."""
        return self.swin(padded(images))


def padded(images: Tensor) -> Tensor:
    """Images [B, 1, 32, 32] of [B, 28, 28, 1]."""
    border = (SIDE - images.shape[1]) // 2
    return functional.pad(images.movedim(3, 1), (border,) * 4)


def run(args: argparse.Namespace, device: torch.device) -> None:
    task = Task(
        load_images("fashion-mnist", args.data), device,
        Augmentation(shift=args.shift, flip=True), smoothing=LABEL_SMOOTHING, images=args.images,
    )  # fmt: skip
    network = Padded().to(device)
    print(f"{sum(p.numel() for p in network.parameters())} parameters", flush=True)
    task.network = network
    args.out.mkdir(parents=True, exist_ok=True)
    phase = Phase(name="float", rate=args.rate, steps=1, constant=0, falling=args.epochs, cosine=True)
    arguments = {name: str(value) for name, value in vars(args).items() if name not in HARMLESS}
    train(
        network, Progress(phases=[phase], arguments=arguments),
        images=len(task.images), batch=args.batch, loss_of=task.loss,
        measure=lambda steps: task.accuracy(network, steps),
        folded=lambda: None, checkpoint=args.out / "training.checkpoint", every=args.every, device=device,
    )  # fmt: skip
    save_for_hf(
        network.swin.half(), args.out, model_args=CHANGES, safe_serialization=True, data_config=PREPARED
    )
    network.float()
    samples = args.out / "data"
    samples.mkdir(exist_ok=True)
    np.savez_compressed(
        samples / "samples.npz", inputs=padded(task.images[:SAMPLES].float() / 256).cpu().numpy()
    )
    print(f"{args.out}: {task.accuracy(network, 1):.2f} % of the test images", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--data", type=Path, required=True, help="folder that holds fashion-mnist/")
    parser.add_argument("--out", type=Path, default=Path("build/swin-fashion"))
    parser.add_argument("--epochs", type=at_least(1), default=14)
    parser.add_argument("--images", type=at_least(1), help="train on about so many of the images")
    parser.add_argument("--shift", type=at_least(0), default=1)
    parser.add_argument("--rate", type=positive, default=2e-3)
    parser.add_argument("--batch", type=at_least(1), default=128)
    parser.add_argument("--seed", type=at_least(0), default=0)
    parser.add_argument("--every", type=at_least(1), default=1, help="epochs between two test results")
    parser.add_argument("--threads", type=at_least(1), default=1)
    start(parser, run)


if __name__ == "__main__":
    main()
