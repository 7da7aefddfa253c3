"""What a training learns from: labels, a teacher's outputs, and weights that are read."""

from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="training needs torch")

from torch.nn import functional  # noqa: E402

from studies.data.datasets import Images  # noqa: E402
from training.cifar10.teacher import TeacherNetwork, read_teacher, write_teacher  # noqa: E402
from training.loop import optimiser_of  # noqa: E402
from training.step import BEFORE, Step  # noqa: E402
from training.task import TAUGHT, Augmentation, Task  # noqa: E402

CPU = torch.device("cpu")


class Known(torch.nn.Module):
    """Outputs that are known, whatever the image; reads so many weights."""

    def __init__(self, outputs: list[float], weights: float = 0.0) -> None:
        super().__init__()
        self.outputs = torch.nn.Parameter(torch.tensor(outputs))
        self.weights = weights

    def forward(self, images, steps):
        return self.outputs.expand(len(images), -1)

    def reads(self):
        return torch.tensor(self.weights)


def task_of(**fields) -> Task:
    pixels = np.zeros((6, 4, 4, 1), np.uint8)
    images = Images(
        train=pixels, train_labels=np.ones(6, np.int64), test=pixels, test_labels=np.ones(6, np.int64)
    )
    return Task(images, CPU, Augmentation(shift=0, flip=False), smoothing=0, **fields)


def test_a_teacher_is_most_of_the_loss() -> None:
    outputs, taught = [0.5, -1.0, 2.0], [3.0, 0.0, -1.0]
    task = task_of(temperature=2.0)
    task.network = Known(outputs)
    labels = task.loss(torch.arange(6), 1).detach()
    assert float(labels) == pytest.approx(float(-torch.tensor(outputs).log_softmax(0)[1]))
    task.teacher = Known(taught)
    soft = (torch.tensor(taught) / 2).softmax(0)
    lesson = 4 * functional.cross_entropy(torch.tensor(outputs) / 2, soft)
    expected = (1 - TAUGHT) * labels + TAUGHT * lesson
    assert task.loss(torch.arange(6), 1).item() == pytest.approx(expected.item())


@pytest.mark.parametrize(("weights", "more"), [(0.0, 0.0), (100.0, 0.0), (150.0, 0.5), (300.0, 2.0)])
def test_reads_above_the_bound_cost(weights: float, more: float) -> None:
    task, losses = task_of(reads=100.0), []
    for read in (0.0, weights):
        task.network = Known([0.0, 1.0], read)
        losses.append(task.loss(torch.arange(6), 1).item())
    assert losses[1] - losses[0] == pytest.approx(more)


def test_a_teacher_comes_back_as_it_was(tmp_path: Path) -> None:
    torch.manual_seed(0)
    network = TeacherNetwork().eval()
    write_teacher(network, tmp_path / "teacher.pt")
    images = torch.rand(2, 32, 32, 3)
    with torch.no_grad():
        assert torch.equal(read_teacher(tmp_path / "teacher.pt")(images), network(images))


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs an accelerator")
def test_a_recorded_step_is_the_step() -> None:
    torch.testing.assert_close(*(trained(torch.device(name)) for name in ("cpu", "cuda")))


def trained(device: torch.device) -> torch.Tensor:
    """Weights after more steps than those before the recording."""
    torch.manual_seed(0)
    network = torch.nn.Linear(4, 1).to(device)
    inputs = torch.linspace(-1, 1, 32, device=device).reshape(8, 4)
    step = Step(network, optimiser_of(network, 0.1), lambda index: network(inputs[index]).square().mean())
    for number in range(BEFORE + 3):
        step(torch.arange(number % 3, number % 3 + 4, device=device))
    return network.weight.detach().cpu()
