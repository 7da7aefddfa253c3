"""Accuracy of a float CIFAR-10 network on all test images.

python -m training.cifar10.measure models/shipped/weights/float_cifar10.npz --data DIR
"""

import argparse
from pathlib import Path

import torch

from golden.stochastic.network import SHAPES
from studies.data.datasets import load_images
from training.cifar10.network import read_float
from training.options import at_least, start
from training.task import Augmentation, Task


def run(args: argparse.Namespace, device: torch.device) -> None:
    network = read_float(args.network, SHAPES[args.shape]).to(device)
    task = Task(load_images("cifar10", args.data), device, Augmentation(shift=0, flip=False), smoothing=0)
    print(f"{task.accuracy(network, 1):.2f} % of {len(task.test)} images", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("network", type=Path)
    parser.add_argument("--shape", choices=("cifar10", "cifar10-small"), default="cifar10")
    parser.add_argument("--data", type=Path, required=True, help="folder that holds cifar10/")
    parser.add_argument("--threads", type=at_least(1), default=2)
    start(parser, run)


if __name__ == "__main__":
    main()
