"""A CIFAR-10 network that was trained goes on from its file, with the augmentation of that run."""

import json
import sys
from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="training needs torch")

from golden.npz import read_npz  # noqa: E402
from golden.stochastic.network import SHAPES  # noqa: E402
from studies.data.datasets import Images  # noqa: E402
from training import ssa_model  # noqa: E402
from training.cifar10 import __main__ as cifar10  # noqa: E402
from training.cifar10.network import read_float  # noqa: E402
from training.task import Augmentation, Task  # noqa: E402

WEIGHTS = Path("models/shipped/weights")


@pytest.fixture(autouse=True)
def few(monkeypatch: pytest.MonkeyPatch) -> None:
    """Sixteen images, two time steps, nothing compiled."""
    rng = np.random.default_rng(0)
    pixels = rng.integers(0, 256, (16, 32, 32, 3)).astype(np.uint8)
    labels = rng.integers(0, 10, 16)
    images = Images(train=pixels, train_labels=labels, test=pixels[:4], test_labels=labels[:4])
    monkeypatch.setattr(cifar10, "load_images", lambda name, folder: images)
    monkeypatch.setattr(cifar10, "TIME_STEPS", (1, 2))
    monkeypatch.setattr(ssa_model, "_compiled_forward", ssa_model._lif_forward)
    monkeypatch.setattr(ssa_model, "_compiled_backward", ssa_model._lif_backward)


def run(monkeypatch: pytest.MonkeyPatch, out: Path, *words: object) -> None:
    common = ("--data", out, "--out", out, "--shape", "cifar10-small", "--batch", 8, "--threads", 1)
    monkeypatch.setattr(sys, "argv", ["script", *map(str, (*words, *common))])
    cifar10.main()


def same(ours: Path, theirs: Path) -> bool:
    arrays, others = read_npz(ours), read_npz(theirs)
    assert arrays.keys() == others.keys()
    return all(np.array_equal(array, others[name]) for name, array in arrays.items())


@pytest.mark.parametrize("name", ["ssa", "float"])
def test_no_epoch_changes_nothing_and_one_does(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    start = WEIGHTS / f"{name}_cifar10-small.npz"
    last = (name, "--resume", start, "--quantised-steps", 2, "--rate", 0.2, "--epochs", 0)
    run(monkeypatch, tmp_path / "none", *last, 0)
    assert same(tmp_path / "none" / start.name, start)
    run(monkeypatch, tmp_path / "one", *last, 1)
    assert not same(tmp_path / "one" / start.name, start)
    # Ended: its checkpoint is of the last phase alone, and gives the same weights again
    assert (tmp_path / "one" / f"{start.stem}_resumed.checkpoint").exists()
    first = (tmp_path / "one" / start.name).read_bytes()
    run(monkeypatch, tmp_path / "one", *last, 1)
    assert (tmp_path / "one" / start.name).read_bytes() == first
    assert json.loads((tmp_path / "one" / f"{start.stem}.json").read_text())["epochs"] == [0, 1]


def test_the_bias_of_a_folded_stem_learns() -> None:
    network = read_float(WEIGHTS / "float_cifar10-small.npz", SHAPES["cifar10-small"])
    network(torch.rand(2, 32, 32, 3)).sum().backward()
    for layer in network.stem:
        assert layer.bias.grad is not None
        assert layer.bias.grad.any()


def test_teacher_and_augmentation_are_those_of_the_command(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen = []

    class Seen(Task):
        def loss(self, index: torch.Tensor, steps: int) -> torch.Tensor:
            seen.append((self.augment, self.teacher, steps))
            return super().loss(index, steps)

    monkeypatch.setattr(cifar10, "Task", Seen)
    teacher = WEIGHTS / "float_cifar10-small.npz"
    last = ("ssa", "--resume", WEIGHTS / "ssa_cifar10-small.npz", "--epochs", 0, 1, "--quantised-steps", 2)
    run(monkeypatch, tmp_path / "as before", *last)
    run(monkeypatch, tmp_path / "milder", *last, "--teacher", teacher, "--shift", 1, "--hole", 0)
    assert [augment for augment, _, _ in seen[::2]] == [
        Augmentation(shift=4, flip=True, hole=10),
        Augmentation(shift=1, flip=True, hole=0),
    ]
    assert {steps for _, _, steps in seen} == {2}
    assert seen[0][1] is None
    images = torch.rand(2, 32, 32, 3)
    taught = read_float(teacher, SHAPES["cifar10-small"])
    assert torch.equal(seen[-1][1](images, 1), taught(images))
