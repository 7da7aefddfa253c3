"""Epochs within a budget of time, and checkpoints from which they go on to the same weights.

The rate is constant at first and then falls linearly to nothing over as many epochs. So the number of
epochs need not be known at the beginning: it is fixed when half of the budget is used, and printed. The
same numbers, given instead of a budget, repeat the training.
"""

import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

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
    """

    name: str
    rate: float
    steps: int
    minutes: float
    constant: int | None = None
    falling: int | None = None

    def factor(self, epoch: float) -> float:
        """Of the rate, at a time in epochs."""
        factor = min(1.0, (epoch + 0.01) / WARM)
        if self.constant is not None and self.falling is not None:
            factor = min(factor, max(0.0, self.constant + self.falling - epoch) / max(1, self.falling))
        return factor

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
    """Where a training stands; what a checkpoint holds beside network, optimiser and random numbers."""

    phases: list[Phase]
    phase: int = 0
    seconds: list[float] = field(default_factory=list)


def optimiser_of(network: nn.Module, rate: float) -> torch.optim.Optimizer:
    """AdamW; only matrices decay."""
    parameters = [p for p in network.parameters() if p.requires_grad]
    groups = [
        {"params": [p for p in parameters if p.ndim > 1], "weight_decay": DECAY},
        {"params": [p for p in parameters if p.ndim <= 1], "weight_decay": 0.0},
    ]
    return torch.optim.AdamW(groups, lr=rate, fused=parameters[0].is_cuda)


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


def epoch_of(
    network: nn.Module,
    optimiser: torch.optim.Optimizer,
    phase: Phase,
    epoch: int,
    batches: Tensor,
    loss_of: Callable[[Tensor, int], Tensor],
) -> float:
    """One pass over `batches` [n, images], indices of images; the mean loss."""
    network.train()
    total = torch.zeros((), device=batches.device)
    for number, index in enumerate(batches):
        for group in optimiser.param_groups:
            group["lr"] = phase.rate * phase.factor(epoch + number / len(batches))
        loss = loss_of(index, phase.steps)
        optimiser.zero_grad(set_to_none=True)
        loss.backward()
        nn.utils.clip_grad_norm_(network.parameters(), 1.0)
        optimiser.step()
        total += loss.detach()
    return float(total / len(batches))


def train(
    network: nn.Module,
    progress: Progress,
    *,
    images: int,
    batch: int,
    loss_of: Callable[[Tensor, int], Tensor],
    measure: Callable[[int], float],
    between: Callable[[], None],
    checkpoint: Path,
    every: int,
    device: torch.device,
) -> None:
    """Train through all phases, from the checkpoint if there is one.

    Args:
        network: trained in place.
        progress: the phases; what the checkpoint says replaces it.
        images, batch: of the training set, and per step.
        loss_of: loss of the images with these indices, at T.
        measure: accuracy in % at T; must leave the random numbers alone.
        between: called before the last of two phases.
        checkpoint: its file, written after every epoch.
        every: epochs between two measurements.
    """
    saved = torch.load(checkpoint, map_location=device, weights_only=True) if checkpoint.exists() else None
    if saved is not None:
        progress.phases = [Phase(**phase) for phase in saved["progress"].pop("phases")]
        progress.phase, progress.seconds = saved["progress"]["phase"], saved["progress"]["seconds"]
        if progress.phase:
            between()
        network.load_state_dict(saved["network"])
    while progress.phase < len(progress.phases):
        phase = progress.phases[progress.phase]
        optimiser = optimiser_of(network, phase.rate)
        if saved is not None:
            if progress.seconds:
                optimiser.load_state_dict(saved["optimiser"])
            restore_random(saved["random"])
            saved = None
        while not phase.ended(len(progress.seconds)):
            epoch, began = len(progress.seconds), time.monotonic()
            order = torch.randperm(images, device=device)[: images // batch * batch].reshape(-1, batch)
            loss = epoch_of(network, optimiser, phase, epoch, order, loss_of)
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
            between()
        save(checkpoint, progress, network, optimiser)
