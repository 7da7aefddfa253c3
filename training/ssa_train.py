"""Train the float, LIF-attention and SSA networks of the digits and Fashion-MNIST with surrogate gradients.

    python -m training.ssa_train digits ssa --out build/ssa

Phase 1 trains with batch normalisation in float; phase 2 folds it into the weights and goes on
with the arithmetic of the integer network. A float network of the same shape may teach
(`--teacher`). Run again after an interruption, it goes on from the last epoch. Needs PyTorch; the
networks it writes do not.
"""

import argparse
from pathlib import Path

import torch

from golden.errors import InputError
from golden.stochastic.network import SHAPES, NetworkShape, load_network
from studies.data.datasets import load_images
from training.integers import export, restore
from training.loop import Phase, Progress, train
from training.options import add_common, at_least, start
from training.ssa_model import FloatNetwork, SpikingNetwork
from training.task import Augmentation, Task

LABEL_SMOOTHING = 0.05
# Do not change the weights
HARMLESS = ("data", "out", "every")


def read_float(path: Path, shape: NetworkShape, device: torch.device) -> FloatNetwork:
    """A float network that this script wrote.

    Raises:
        InputError: another file, or a network of another shape.
    """
    network = FloatNetwork(shape).to(device).eval()
    try:
        network.load_state_dict(torch.load(path, map_location=device, weights_only=True))
    except Exception as error:  # torch and its unpickler raise a dozen types
        reason = (str(error).strip() or type(error).__name__).splitlines()[0]
        raise InputError(f"{path}: must be a float network of this shape ({reason:.80})") from None
    return network


def phases_of(args: argparse.Namespace) -> list[Phase]:
    floats = args.kind == "float"
    first = Phase(
        name="float" if floats else "normalised", rate=args.rate, steps=1 if floats else args.steps,
        constant=0, falling=args.epochs, cosine=True,
    )  # fmt: skip
    second = Phase(
        name="quantised", rate=args.rate / 4, steps=args.quantised_steps,
        constant=0, falling=args.quantised_epochs, cosine=True,
    )  # fmt: skip
    if floats:
        return [first]
    return [second] if args.resume else [first, second]


def run(args: argparse.Namespace, device: torch.device) -> None:
    shape = SHAPES[args.dataset]
    task = Task(
        load_images(args.dataset, args.data), device,
        Augmentation(shift=args.shift, flip=args.flip), smoothing=LABEL_SMOOTHING,
    )  # fmt: skip
    if args.teacher:
        task.teacher = read_float(args.teacher, shape, device)
    stem = args.out / f"{args.kind}_{args.dataset}"
    network: FloatNetwork | SpikingNetwork
    if args.kind == "float":
        network = read_float(args.resume, shape, device) if args.resume else FloatNetwork(shape).to(device)
        network.compile(dynamic=False)
    else:
        network = SpikingNetwork(shape, args.kind).to(device)
        for block in network.blocks:
            block.compile(dynamic=False)
        if args.resume:
            saved = load_network(args.resume)
            if (saved.shape, saved.kind) != (shape, args.kind):
                raise InputError(f"{args.resume}: must be a network of kind {args.kind} for {args.dataset}")
            network.fold()
            restore(network, saved)
    task.network = network
    stem.parent.mkdir(parents=True, exist_ok=True)
    arguments = {name: str(value) for name, value in vars(args).items() if name not in HARMLESS}
    train(
        network, Progress(phases=phases_of(args), arguments=arguments),
        images=len(task.images), batch=args.batch, loss_of=task.loss,
        measure=lambda steps: task.accuracy(network, steps),
        # Where --resume can start
        folded=lambda: export(network, args.kind, stem.with_name(f"{stem.name}_folded.npz")),
        checkpoint=stem.with_name(f"{stem.name}{'_resumed' if args.resume else ''}.checkpoint"),
        every=args.every, device=device,
    )  # fmt: skip
    if isinstance(network, FloatNetwork):
        torch.save(network.state_dict(), stem.with_suffix(".pt"))
        return
    export(network, args.kind, stem.with_suffix(".npz"))
    for steps in (1, 2, 4, 8, 10, 16):
        print(f"T={steps}: {task.accuracy(network, steps):.2f} %", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("dataset", choices=("digits", "fashion-mnist"))
    parser.add_argument("kind", choices=("float", "lif", "ssa"))
    parser.add_argument("--data", type=Path, help="folder that holds fashion-mnist/")
    parser.add_argument("--out", type=Path, default=Path("build/ssa"))
    parser.add_argument("--epochs", type=at_least(0), default=60)
    parser.add_argument("--quantised-epochs", type=at_least(0), default=20)
    parser.add_argument("--shift", type=at_least(0), default=1)
    parser.add_argument("--flip", action="store_true")
    parser.add_argument(
        "--resume", type=Path, help="a network this wrote: go on, if spiking with the second phase"
    )
    add_common(parser, batch=128, every=1, rate=2e-3)
    start(parser, run)


if __name__ == "__main__":
    main()
