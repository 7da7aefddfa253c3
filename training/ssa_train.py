"""Train the float, LIF-attention and SSA networks with surrogate gradients.

    python -m training.ssa_train digits ssa --out build/ssa

Phase 1 trains with batch normalisation in float; phase 2 folds it into the weights and goes on
with the arithmetic of the integer network. A float network of the same shape may teach
(`--teacher`). Needs PyTorch; the networks it writes do not.
"""

import argparse
import math
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from golden.stochastic.network import SHAPES, THRESHOLD, load_network, network_arrays
from golden.stochastic.network import SpikingNetwork as IntegerNetwork
from studies.data.datasets import DATASETS, load_images
from training.ssa_model import FloatNetwork, SpikingNetwork

LABEL_SMOOTHING = 0.05


def augment(images: Tensor, shift: int, flip: bool) -> Tensor:
    """Shift images [B, H, W, C] by up to `shift` pixels along both axes; mirror half of them."""
    count, size = images.shape[:2]
    device = images.device
    padded = functional.pad(images, (0, 0, *(shift,) * 4))
    # One shift per image: a shift per batch would show in the batch statistics
    dy, dx = torch.randint(0, 2 * shift + 1, (2, count, 1), device=device)
    span = torch.arange(size, device=device)
    rows, columns = (dy + span)[:, :, None], (dx + span)[:, None, :]
    moved = padded[torch.arange(count, device=device)[:, None, None], rows, columns]
    if flip:
        mirrored = torch.rand(count, device=device) < 0.5
        moved = torch.where(mirrored[:, None, None, None], moved.flip(2), moved)
    return moved


@torch.no_grad()
def accuracy(network: torch.nn.Module, images: Tensor, labels: Tensor, steps: int) -> float:
    network.eval()
    hits = 0
    torch.compiler.set_stance("force_eager")  # one compilation, for the batches of the training
    for start in range(0, len(images), 500):
        logits = network(images[start : start + 500], steps)
        hits += int((logits.argmax(1) == labels[start : start + 500]).sum())
    torch.compiler.set_stance("default")
    return 100 * hits / len(images)


def train(
    network: torch.nn.Module,
    teacher: torch.nn.Module | None,
    data: tuple[Tensor, Tensor, Tensor, Tensor],
    args: argparse.Namespace,
    *,
    epochs: int,
    rate: float,
    steps: int,
    phase: str,
) -> None:
    """Cosine schedule from `rate` to nearly nothing; prints the test accuracy of every few epochs."""
    if not epochs:
        return
    images, labels, test, test_labels = data
    batches = len(images) // args.batch
    warm = batches if phase != "quantised" else 1
    optimiser = torch.optim.AdamW(network.parameters(), lr=rate, weight_decay=args.decay)
    schedule = torch.optim.lr_scheduler.LambdaLR(
        optimiser,
        lambda n: min(1, (n + 1) / warm) * (1 + math.cos(math.pi * n / (batches * epochs))) / 2 + 1e-3,
    )
    for epoch in range(epochs):
        network.train()
        began, total = time.time(), 0.0
        order = torch.randperm(len(images), device=images.device)
        for index in order[: batches * args.batch].reshape(batches, args.batch):
            batch = augment(images[index], args.shift, args.flip)
            logits = network(batch, steps)
            loss = functional.cross_entropy(logits, labels[index], label_smoothing=LABEL_SMOOTHING)
            if teacher is not None:
                with torch.no_grad():
                    taught = teacher(batch, steps).softmax(-1)
                loss = 0.3 * loss + 0.7 * functional.cross_entropy(logits, taught)
            network.zero_grad(set_to_none=True)
            loss.backward()
            torch.nn.utils.clip_grad_norm_(network.parameters(), 1.0)
            optimiser.step()
            schedule.step()
            total += float(loss.detach())
        if epoch % args.every == args.every - 1 or epoch == epochs - 1:
            score = accuracy(network, test, test_labels, steps)
            print(
                f"{phase} epoch {epoch + 1}/{epochs} loss {total / batches:.4f} test {score:.2f} % "
                f"(T={steps}) {time.time() - began:.1f} s",
                flush=True,
            )


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


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("dataset", choices=DATASETS)
    parser.add_argument("kind", choices=("float", "lif", "ssa"))
    parser.add_argument("--data", type=Path, help="folder that holds fashion-mnist/ and cifar10/")
    parser.add_argument("--out", type=Path, default=Path("build/ssa"))
    parser.add_argument("--epochs", type=int, default=60)
    parser.add_argument("--quantised-epochs", type=int, default=20)
    parser.add_argument("--steps", type=int, default=4, help="T of the first phase")
    parser.add_argument("--quantised-steps", type=int, default=10, help="T of the second phase")
    parser.add_argument("--rate", type=float, default=2e-3)
    parser.add_argument("--decay", type=float, default=0.02)
    parser.add_argument("--batch", type=int, default=128)
    parser.add_argument("--shift", type=int, default=1)
    parser.add_argument("--flip", action="store_true")
    parser.add_argument("--teacher", type=Path, help="a float network's file: its outputs are targets too")
    parser.add_argument(
        "--resume", type=Path, help="a network this wrote: go on, if spiking with the second phase"
    )
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--every", type=int, default=1, help="epochs between two test results")
    parser.add_argument("--threads", type=int, default=2)
    args = parser.parse_args()
    print(vars(args), flush=True)
    torch.manual_seed(args.seed)
    torch.set_num_threads(args.threads)
    device = "cuda" if torch.cuda.is_available() else "cpu"
    shape = SHAPES[args.dataset]

    raw = load_images(args.dataset, args.data)
    images, test = (torch.tensor(part, device=device).float() / 256 for part in (raw.train, raw.test))
    labels, test_labels = (torch.tensor(part, device=device) for part in (raw.train_labels, raw.test_labels))
    data = (images, labels, test, test_labels)

    teacher = None
    if args.teacher:
        teacher = FloatNetwork(shape).to(device).eval()
        teacher.load_state_dict(torch.load(args.teacher, map_location=device, weights_only=True))
    stem = args.out / f"{args.kind}_{args.dataset}"
    if args.kind == "float":
        network = FloatNetwork(shape).to(device)
        if args.resume:
            network.load_state_dict(torch.load(args.resume, map_location=device, weights_only=True))
        network.compile(dynamic=False)
        train(
            network, None, data, args,
            epochs=args.epochs, rate=args.rate, steps=1, phase="float",
        )  # fmt: skip
        stem.parent.mkdir(parents=True, exist_ok=True)
        torch.save(network.state_dict(), stem.with_suffix(".pt"))
        return
    spiking = SpikingNetwork(shape, args.kind).to(device)
    for block in spiking.blocks:
        block.compile(dynamic=False)
    if args.resume:
        spiking.fold()
        restore(spiking, load_network(args.resume))
    else:
        train(
            spiking, teacher, data, args,
            epochs=args.epochs, rate=args.rate, steps=args.steps, phase="float weights",
        )  # fmt: skip
        spiking.fold()
        # Where --resume can start
        export(spiking, args.kind, stem.with_name(f"{stem.name}_folded.npz"))
    train(
        spiking, teacher, data, args,
        epochs=args.quantised_epochs, rate=args.rate / 4, steps=args.quantised_steps, phase="quantised",
    )  # fmt: skip
    spiking.eval()
    for steps in (1, 2, 4, 8, 10, 16):
        print(f"T={steps}: {accuracy(spiking, data[2], test_labels, steps):.2f} %", flush=True)
    export(spiking, args.kind, stem.with_suffix(".npz"))


if __name__ == "__main__":
    main()
