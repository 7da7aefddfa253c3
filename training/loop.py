"""Epochs of a training, and checkpoints from which they go on to the same weights.

Their number is given, or found within a budget of time. Then the rate is constant at first and falls
to nothing over as many epochs: it is fixed when half of the budget is used, and printed; the same
numbers, given instead of a budget, repeat the training.
"""

import math
import pickle
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from golden.code import check_range
from golden.errors import InputError
from training.step import Step

# Epochs of a phase over which the rate rises from nothing
WARM = 1
DECAY = 0.02


@dataclass(kw_only=True)
class Phase:
    """A part of a training.

    Attributes:
        name: printed.
        rate: largest learning rate.
        steps: T.
        minutes: budget; means nothing where epochs are given.
        constant, falling: epochs with the constant and with the falling rate; found from the budget
            where absent.
        cosine: the rate falls as half a wave, not linearly.
    """

    name: str
    rate: float
    steps: int
    minutes: float = 0
    constant: int | None = None
    falling: int | None = None
    cosine: bool = False

    def factor(self, epoch: float) -> float:
        """Of the rate, at a time in epochs."""
        left = 1.0
        if self.constant is not None and self.falling is not None:
            left = min(1.0, max(0.0, self.constant + self.falling - epoch) / max(1, self.falling))
        if self.cosine:
            left = (1 - math.cos(math.pi * left)) / 2
        return min((epoch + 0.01) / WARM, left)

    def plan(self, seconds: list[float]) -> bool:
        """Fix the epochs once half of the budget is used, from the durations of the epochs so far."""
        if self.constant is not None or len(seconds) < 2:
            return False
        # The first epoch compiles
        one = sum(seconds[1:][-5:]) / len(seconds[1:][-5:])
        left = int((60 * self.minutes - sum(seconds)) / one)
        if left > len(seconds):
            return False
        self.constant, self.falling = len(seconds), max(1, left)
        return True

    def ended(self, epoch: int) -> bool:
        return self.constant is not None and epoch >= self.constant + (self.falling or 0)


@dataclass(kw_only=True)
class Progress:
    """Where a training stands; what a checkpoint holds beside network, optimiser and random numbers.

    Attributes:
        phases: of the training.
        arguments: what the weights depend on; a checkpoint of others is refused.
        phase: the current one.
        seconds: that its epochs so far took.
    """

    phases: list[Phase]
    arguments: dict[str, str]
    phase: int = 0
    seconds: list[float] = field(default_factory=list)


def optimiser_of(network: nn.Module, rate: float) -> torch.optim.Optimizer:
    """AdamW; only matrices decay."""
    parameters = [p for p in network.parameters() if p.requires_grad]
    groups = [
        {"params": [p for p in parameters if p.ndim > 1], "weight_decay": DECAY},
        {"params": [p for p in parameters if p.ndim <= 1], "weight_decay": 0.0},
    ]
    if not parameters[0].is_cuda:
        return torch.optim.AdamW(groups, lr=rate)
    # A step is recorded there (`training.step`), so the rate is a tensor
    return torch.optim.AdamW(
        groups, lr=torch.tensor(rate, device=parameters[0].device), fused=True, capturable=True
    )


def resume(optimiser: torch.optim.Optimizer, state: dict[str, Any]) -> None:
    """Take what an optimiser had learned, on whatever device; how it works stays that of this device."""
    ways = [{name: group[name] for name in ("lr", "fused", "capturable")} for group in optimiser.param_groups]
    optimiser.load_state_dict(state)
    for group, way in zip(optimiser.param_groups, ways, strict=True):
        group |= way


def set_rate(optimiser: torch.optim.Optimizer, rate: float) -> None:
    for group in optimiser.param_groups:
        if isinstance(group["lr"], Tensor):
            group["lr"].fill_(rate)
        else:
            group["lr"] = rate


def random_state() -> dict[str, Any]:
    cuda = torch.cuda.get_rng_state() if torch.cuda.is_available() else None
    return {"cpu": torch.get_rng_state(), "cuda": cuda}


def restore_random(state: dict[str, Any]) -> None:
    torch.set_rng_state(state["cpu"].cpu())
    if state["cuda"] is not None and torch.cuda.is_available():
        torch.cuda.set_rng_state(state["cuda"].cpu())


def save(path: Path, progress: Progress, network: nn.Module, optimiser: torch.optim.Optimizer) -> None:
    part = path.with_suffix(".part")
    state = {"network": network.state_dict(), "optimiser": optimiser.state_dict()}
    torch.save(state | {"progress": asdict(progress), "random": random_state()}, part)
    part.replace(path)


def load(path: Path, progress: Progress, device: torch.device) -> dict[str, Any]:
    """What `save` wrote; `progress` becomes the one of the checkpoint.

    Raises:
        InputError: another file, or a checkpoint of a training with other arguments.
    """
    try:
        saved = torch.load(path, map_location=device, weights_only=True)
        stood = saved["progress"]
        phases = [Phase(**phase) for phase in stood["phases"]]
        arguments, phase, seconds = stood["arguments"], int(stood["phase"]), list(stood["seconds"])
    except (OSError, EOFError, RuntimeError, pickle.UnpicklingError, LookupError, TypeError) as error:
        reason = (str(error).strip() or type(error).__name__).splitlines()[0]
        raise InputError(f"{path}: must be the checkpoint of a training ({reason:.80})") from None
    for name in sorted(progress.arguments | arguments):
        now, then = progress.arguments.get(name), arguments.get(name)
        if now != then:
            raise InputError(
                f"{path}: is of a training with {name} {then}, not {now}; remove it to begin again"
            )
    progress.phases, progress.phase, progress.seconds = phases, phase, seconds
    return saved


def epoch_of(step: Step, phase: Phase, epoch: int, batches: Tensor) -> float:
    """One pass over `batches` [n, images], indices of images; the mean loss."""
    step.network.train()
    total = torch.zeros((), device=batches.device)
    for number, index in enumerate(batches):
        set_rate(step.optimiser, phase.rate * phase.factor(epoch + number / len(batches)))
        total += step(index)
    return float(total / len(batches))


def train(
    network: Any,
    progress: Progress,
    *,
    images: int,
    batch: int,
    loss_of: Callable[..., Tensor],
    measure: Callable[[int], float],
    folded: Callable[[], None],
    checkpoint: Path,
    every: int,
    device: torch.device,
) -> None:
    """Train through all phases, from the checkpoint if there is one.

    Args:
        network: trained in place; has a method `fold`, which is called between two phases.
        progress: the phases; what the checkpoint says replaces it.
        images, batch: of the training set, and per step.
        loss_of: loss of the images with these indices, at T, `steps`.
        measure: accuracy in % at T; must leave the random numbers alone.
        folded: called when the network was folded.
        checkpoint: its file, written after every epoch.
        every: epochs between two measurements.

    Raises:
        InputError: a batch larger than the set, or a checkpoint of another training or network.
    """
    check_range("--batch", batch, 1, images)
    saved = load(checkpoint, progress, device) if checkpoint.exists() else None
    if saved is not None:
        if 0 < progress.phase < len(progress.phases) or progress.phase > 1:
            network.fold()
        try:
            network.load_state_dict(saved["network"])
        except (RuntimeError, LookupError, TypeError):
            raise InputError(f"{checkpoint}: is of a network of another shape") from None
    while progress.phase < len(progress.phases):
        phase = progress.phases[progress.phase]
        optimiser = optimiser_of(network, phase.rate)
        if saved is not None:
            if progress.seconds:
                resume(optimiser, saved["optimiser"])
            restore_random(saved["random"])
            saved = None
        step = Step(network, optimiser, partial(loss_of, steps=phase.steps))
        while not phase.ended(len(progress.seconds)):
            epoch, began = len(progress.seconds), time.monotonic()
            order = torch.randperm(images, device=device)[: images // batch * batch].reshape(-1, batch)
            loss = epoch_of(step, phase, epoch, order)
            text = f"{phase.name} {epoch + 1} loss {loss:.4f}"
            if (epoch + 1) % every == 0:
                text += f" test {measure(phase.steps):.2f} % (T={phase.steps})"
            progress.seconds.append(time.monotonic() - began)
            print(f"{text} {progress.seconds[-1]:.2f} s", flush=True)
            if phase.plan(progress.seconds):
                print(f"{phase.name}: epochs {phase.constant} {phase.falling}", flush=True)
            save(checkpoint, progress, network, optimiser)
        progress.phase, progress.seconds = progress.phase + 1, []
        if progress.phase < len(progress.phases):
            network.fold()
            folded()
        save(checkpoint, progress, network, optimiser)
