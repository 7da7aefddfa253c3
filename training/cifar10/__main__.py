"""Train the CIFAR-10 networks of one shape: float, and spiking with stochastic (or LIF) attention.

    python -m training.cifar10 teacher --data DIR --minutes 60
    python -m training.cifar10 float --data DIR --minutes 60 --teacher build/cifar10/teacher.pt
    python -m training.cifar10 ssa --data DIR --minutes 240 --teacher build/cifar10/teacher.pt

DIR holds `cifar10/`. Needs PyTorch and Pillow; an accelerator is used when there is one. Run again
after an interruption, it goes on from the last epoch. The outputs of a teacher, a residual network or a
float network of the shape, are targets too. Spiking networks are trained with batch normalisation in
float first, then with the arithmetic of the integer network; a network that was trained goes on with
the latter (`--resume`), most often with milder augmentation.
"""

import argparse
import json
import time
from pathlib import Path

import torch

from golden.errors import InputError
from golden.stochastic.network import KINDS, SHAPES, NetworkShape, load_network
from studies.data.datasets import load_images
from training.cifar10.network import FloatNetwork, read_float, write_float
from training.cifar10.teacher import TeacherNetwork, read_teacher, write_teacher
from training.integers import export, restore
from training.loop import Phase, Progress, train
from training.options import add_common, at_least, positive, start
from training.ssa_model import SpikingNetwork
from training.task import Augmentation, Task

# Of the labels, not of a teacher's, whose outputs say more as they are (R. Mueller et al., 2019)
LABEL_SMOOTHING = 0.1
TEMPERATURE = 2.0
# Part of the first phase in the budget
FIRST = 0.6
TIME_STEPS = (1, 2, 3, 4, 6, 8, 10, 12, 14, 16)
# Do not change the weights
HARMLESS = ("data", "out", "every", "wait")


def teacher_of(path: Path, shape: NetworkShape, wait: float) -> TeacherNetwork | FloatNetwork:
    """The teacher of a file, `.npz` if a float network, for which to wait up to so many minutes."""
    end = time.monotonic() + 60 * wait
    while not path.exists() and time.monotonic() < end:
        time.sleep(0.2)
    return read_float(path, shape) if path.suffix == ".npz" else read_teacher(path)


def phases_of(args: argparse.Namespace) -> list[Phase]:
    if args.network in ("teacher", "float"):
        phases = [Phase(name=args.network, rate=args.rate, steps=1, minutes=args.minutes)]
    else:
        first = 0 if args.resume else FIRST * args.minutes
        phases = [
            Phase(name="normalised", rate=args.rate, steps=args.steps, minutes=first),
            Phase(
                name="quantised", rate=args.rate / 4, steps=args.quantised_steps, minutes=args.minutes - first
            ),
        ]
        if args.resume:
            del phases[0]
    if args.epochs:
        if len(args.epochs) != 2 * len(phases):
            raise InputError(f"--epochs must be {2 * len(phases)} integers, not {len(args.epochs)}")
        for phase, constant, falling in zip(phases, args.epochs[::2], args.epochs[1::2], strict=True):
            phase.constant, phase.falling = constant, falling
    return phases


def network_of(name: str, shape: NetworkShape) -> TeacherNetwork | FloatNetwork | SpikingNetwork:
    if name == "teacher":
        return TeacherNetwork()
    return FloatNetwork(shape) if name == "float" else SpikingNetwork(shape, name)


def network_from(path: Path, name: str, shape: NetworkShape) -> FloatNetwork | SpikingNetwork:
    """The folded network of a file that this script wrote.

    Raises:
        InputError: another file, or a network of another shape or kind.
    """
    if name == "float":
        return read_float(path, shape)
    saved = load_network(path)
    if (saved.shape, saved.kind) != (shape, name):
        raise InputError(f"{path}: must be a network of kind {name} of this shape")
    network = SpikingNetwork(shape, name)
    network.fold()
    restore(network, saved)
    return network


def run(args: argparse.Namespace, device: torch.device) -> None:
    if args.reads and args.network not in KINDS:
        raise InputError(f"--reads is for networks that spike, not for {args.network}")
    for name in ("teacher", "shape", "resume"):
        if getattr(args, name) and args.network == "teacher":
            raise InputError(f"--{name} is for the networks that it teaches, not for teacher")
    if args.wait and not args.teacher:
        raise InputError("--wait is for the file of --teacher, which is absent")
    if args.steps and args.resume:
        raise InputError("--steps is for the first phase, which --resume leaves out")
    args.shape, args.steps = args.shape or "cifar10", args.steps or 4
    shape, began = SHAPES[args.shape], time.monotonic()
    arguments = {name: str(value) for name, value in vars(args).items() if name not in HARMLESS}
    progress = Progress(phases=phases_of(args), arguments=arguments)
    task = Task(
        load_images("cifar10", args.data), device,
        Augmentation(shift=args.shift, flip=True, hole=args.hole),
        smoothing=0 if args.network == "teacher" else LABEL_SMOOTHING, images=args.images,
        temperature=TEMPERATURE, reads=args.reads,
    )  # fmt: skip
    if args.resume:
        network = network_from(args.resume, args.network, shape)
    else:
        network = network_of(args.network, shape)
    if isinstance(network, SpikingNetwork) and args.reads:
        network.count()
    task.network = network.to(device)
    print(f"{sum(p.numel() for p in network.parameters())} parameters on {device}, ", end="")
    print(f"data after {time.monotonic() - began:.1f} s", flush=True)
    if args.teacher:
        task.teacher = teacher_of(args.teacher, shape, args.wait).to(device)
        print(f"teacher after {time.monotonic() - began:.1f} s", flush=True)
    stem = args.out / (args.network if args.network == "teacher" else f"{args.network}_{args.shape}")
    args.out.mkdir(parents=True, exist_ok=True)
    train(
        network, progress, images=len(task.images), batch=args.batch, loss_of=task.loss,
        measure=lambda steps: task.accuracy(network, steps),
        folded=lambda: export(network, args.network, stem.with_name(f"{stem.name}_folded.npz")),
        checkpoint=stem.with_name(f"{stem.name}{'_resumed' if args.resume else ''}.checkpoint"),
        every=args.every, device=device,
    )  # fmt: skip
    report = {"arguments": {k: str(v) for k, v in vars(args).items()}, "torch": torch.__version__}
    report |= {"epochs": [n for phase in progress.phases for n in (phase.constant, phase.falling)]}
    if isinstance(network, TeacherNetwork):
        write_teacher(network, stem.with_suffix(".pt"))
        report["accuracy"] = task.accuracy(network, 1)
    elif isinstance(network, FloatNetwork):
        report["float32"] = task.accuracy(network, 1)
        if not args.resume:
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
    parser.add_argument("network", choices=("teacher", "float", "ssa", "lif"))
    parser.add_argument("--shape", choices=("cifar10", "cifar10-small"), help="cifar10 when absent")
    parser.add_argument("--data", type=Path, required=True, help="folder that holds cifar10/")
    parser.add_argument("--out", type=Path, default=Path("build/cifar10"))
    parser.add_argument("--minutes", type=positive, default=60, help="budget, from which the epochs follow")
    parser.add_argument(
        "--epochs", type=at_least(0), nargs="*",
        help="instead of a budget, per phase: epochs with the full rate and with the falling rate",
    )  # fmt: skip
    parser.add_argument(
        "--reads", type=positive,
        help="of a spiking network: weights a lane of the core should read per image and time step at most",
    )  # fmt: skip
    parser.add_argument(
        "--shift", type=at_least(0), default=4, help="pixels by which images are moved at most"
    )
    parser.add_argument(
        "--hole", type=at_least(0), default=10, help="edge of the square put into half of them"
    )
    parser.add_argument(
        "--resume", type=Path, help="a network's file: go on, if spiking with the second phase alone"
    )
    parser.add_argument("--wait", type=float, default=0, help="minutes to wait for the teacher's file")
    parser.add_argument("--images", type=at_least(1), default=50000, help="train on about so many of them")
    add_common(parser, batch=256, every=10, rate=2e-3)
    parser.set_defaults(steps=None)
    start(parser, run)


if __name__ == "__main__":
    main()
