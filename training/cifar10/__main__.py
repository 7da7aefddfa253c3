"""Train the CIFAR-10 networks of one shape: float, and spiking with stochastic (or LIF) attention.

    python -m training.cifar10 float --data DIR --out build/cifar10 --minutes 60
    python -m training.cifar10 ssa --data DIR --out build/cifar10 --minutes 240 \\
        --teacher build/cifar10/float_cifar10.npz

DIR holds `cifar10/`. Needs PyTorch and Pillow; an accelerator is used when there is one. Run again
after an interruption, it goes on from the last epoch. Spiking networks are trained with batch
normalisation in float first, then with the arithmetic of the integer network.
"""

import argparse
import json
import time
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from golden.errors import InputError
from golden.stochastic.network import SHAPES
from studies.data.datasets import load_images
from training.cifar10.loop import Phase, Progress, train
from training.cifar10.network import FloatNetwork, read_float, write_float
from training.ssa_model import SpikingNetwork
from training.ssa_train import augment, export

LABEL_SMOOTHING = 0.1
SHIFT = 4
# Edge of the square that is blanked in every second image
HOLE = 10
# Part of the first phase in the budget
FIRST = 0.6
TIME_STEPS = (1, 2, 3, 4, 6, 8, 10, 12, 14, 16)


def blank(images: Tensor) -> Tensor:
    """A square of grey somewhere in every second image [B, H, W, C] (cutout)."""
    count, size = images.shape[:2]
    device = images.device
    corner = torch.randint(1 - HOLE, size, (2, count, 1), device=device)
    span = torch.arange(size, device=device)
    inside = (span >= corner) & (span < corner + HOLE)
    hole = inside[0][:, :, None] & inside[1][:, None, :] & (torch.rand(count, 1, 1, device=device) < 0.5)
    return torch.where(hole[..., None], torch.full_like(images, 0.5), images)


def teacher_of(path: Path, shape_name: str, wait: float, device: torch.device) -> FloatNetwork:
    """The float network of a file, for which to wait up to so many minutes."""
    end = time.monotonic() + 60 * wait
    while not path.exists() and time.monotonic() < end:
        time.sleep(0.2)
    return read_float(path, SHAPES[shape_name]).to(device)


class Task:
    """Images on the device, augmentation, losses and measurements of one network."""

    def __init__(self, args: argparse.Namespace, device: torch.device) -> None:
        self.device = device
        raw = load_images("cifar10", args.data)
        # Every n-th, since they are sorted by class
        chosen = np.arange(0, len(raw.train), -(-len(raw.train) // args.images))
        self.images = torch.tensor(raw.train[chosen], device=device)
        self.labels = torch.tensor(raw.train_labels[chosen], device=device)
        self.test = torch.tensor(raw.test, device=device)
        self.test_labels = torch.tensor(raw.test_labels, device=device)
        self.network: nn.Module
        self.teacher: nn.Module | None = None

    def half(self) -> torch.autocast:
        return torch.autocast(self.device.type, torch.bfloat16, enabled=self.device.type == "cuda")

    def loss(self, index: Tensor, steps: int) -> Tensor:
        batch = blank(augment(self.images[index].float() / 256, SHIFT, flip=True))
        with self.half():
            logits = self.network(batch, steps).float()
            loss = functional.cross_entropy(logits, self.labels[index], label_smoothing=LABEL_SMOOTHING)
            if self.teacher is None:
                return loss
            with torch.no_grad():
                taught = self.teacher(batch, 1).float().softmax(-1)
            return 0.3 * loss + 0.7 * functional.cross_entropy(logits, taught)

    @torch.no_grad()
    def accuracy(self, network: nn.Module, steps: int) -> float:
        """In % of all test images, in float32, random numbers as they were before."""
        network.eval()
        devices = [0] if self.device.type == "cuda" else []
        hits = 0
        with torch.random.fork_rng(devices=devices):
            torch.manual_seed(0)
            for images, labels in zip(self.test.split(500), self.test_labels.split(500), strict=True):
                hits += int((network(images.float() / 256, steps).argmax(1) == labels).sum())
        return 100 * hits / len(self.test)


def phases_of(args: argparse.Namespace) -> list[Phase]:
    if args.network == "float":
        phases = [Phase(name="float", rate=args.rate, steps=1, minutes=args.minutes)]
    else:
        first = FIRST * args.minutes
        phases = [
            Phase(name="normalised", rate=args.rate, steps=args.steps, minutes=first),
            Phase(
                name="quantised", rate=args.rate / 4, steps=args.quantised_steps, minutes=args.minutes - first
            ),
        ]
    if args.epochs:
        if len(args.epochs) != 2 * len(phases):
            raise InputError(f"--epochs must be {2 * len(phases)} integers, not {len(args.epochs)}")
        for phase, constant, falling in zip(phases, args.epochs[::2], args.epochs[1::2], strict=True):
            phase.constant, phase.falling = constant, falling
    return phases


def run(args: argparse.Namespace, device: torch.device) -> None:
    shape, began = SHAPES[args.shape], time.monotonic()
    progress = Progress(phases=phases_of(args))
    stem = args.out / f"{args.network}_{args.shape}"
    args.out.mkdir(parents=True, exist_ok=True)
    task = Task(args, device)
    network = FloatNetwork(shape) if args.network == "float" else SpikingNetwork(shape, args.network)
    task.network = network.to(device)
    print(f"{sum(p.numel() for p in network.parameters())} parameters on {device}, ", end="")
    print(f"data after {time.monotonic() - began:.1f} s", flush=True)
    if args.teacher:
        task.teacher = teacher_of(args.teacher, args.teacher_shape or args.shape, args.wait, device)
        print(f"teacher after {time.monotonic() - began:.1f} s", flush=True)

    def between() -> None:
        network.fold()
        export(network, args.network, stem.with_name(f"{stem.name}_folded.npz"))

    train(
        network, progress, images=len(task.images), batch=args.batch, loss_of=task.loss,
        measure=lambda steps: task.accuracy(network, steps), between=between,
        checkpoint=stem.with_suffix(".checkpoint"), every=args.every, device=device,
    )  # fmt: skip
    report = {"arguments": {k: str(v) for k, v in vars(args).items()}, "torch": torch.__version__}
    report |= {"epochs": [n for phase in progress.phases for n in (phase.constant, phase.falling)]}
    if args.network == "float":
        report["float32"] = task.accuracy(network, 1)
        network.fold()
        write_float(network, stem.with_suffix(".npz"))
        report["int8"] = task.accuracy(read_float(stem.with_suffix(".npz"), shape).to(device), 1)
    else:
        export(network, args.network, stem.with_suffix(".npz"))
        report["accuracy"] = {steps: task.accuracy(network, steps) for steps in TIME_STEPS}
    if device.type == "cuda":
        report["memory_gib"] = torch.cuda.max_memory_allocated() / 2**30
    report["seconds"] = time.monotonic() - began
    stem.with_suffix(".json").write_text(json.dumps(report, indent=1) + "\n")
    print(json.dumps(report), flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("network", choices=("float", "ssa", "lif"))
    parser.add_argument("--shape", choices=("cifar10", "cifar10-small"), default="cifar10")
    parser.add_argument("--data", type=Path, required=True, help="folder that holds cifar10/")
    parser.add_argument("--out", type=Path, default=Path("build/cifar10"))
    parser.add_argument("--minutes", type=float, default=60, help="budget, from which the epochs follow")
    parser.add_argument(
        "--epochs", type=int, nargs="*",
        help="instead of a budget, per phase: epochs with the full rate and with the falling rate",
    )  # fmt: skip
    parser.add_argument("--teacher", type=Path, help="a float network's file: its outputs are targets too")
    parser.add_argument("--teacher-shape", choices=("cifar10", "cifar10-small"))
    parser.add_argument("--wait", type=float, default=0, help="minutes to wait for the teacher's file")
    parser.add_argument("--steps", type=int, default=4, help="T of the first phase")
    parser.add_argument("--quantised-steps", type=int, default=10, help="T of the second phase")
    parser.add_argument("--batch", type=int, default=256)
    parser.add_argument("--rate", type=float, default=2e-3)
    parser.add_argument("--images", type=int, default=50000, help="train on about so many of the images")
    parser.add_argument("--every", type=int, default=10, help="epochs between two test results")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--threads", type=int, default=2)
    args = parser.parse_args()
    torch.manual_seed(args.seed)
    torch.set_num_threads(args.threads)
    torch.backends.cudnn.benchmark = True
    torch.backends.cudnn.allow_tf32 = False
    try:
        run(args, torch.device("cuda" if torch.cuda.is_available() else "cpu"))
    except InputError as error:
        parser.exit(2, f"error: {error}\n")


if __name__ == "__main__":
    main()
