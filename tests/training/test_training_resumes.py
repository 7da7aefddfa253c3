"""An interrupted training goes on to the weights of one that was not; what does not fit is one line."""

import io
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="training needs torch")

from golden.errors import InputError  # noqa: E402
from golden.stochastic.network import NetworkShape  # noqa: E402
from studies.data.datasets import Images  # noqa: E402
from training import ssa_model, ssa_train  # noqa: E402
from training.cifar10 import __main__ as cifar10  # noqa: E402
from training.loop import Phase, Progress, train  # noqa: E402
from training.task import Augmentation, Task  # noqa: E402

CPU = torch.device("cpu")


@pytest.fixture
def images() -> Images:
    rng = np.random.default_rng(0)
    pixels = rng.integers(0, 256, (40, 8, 8, 1)).astype(np.uint8)
    labels = rng.integers(0, 10, 40)
    return Images(train=pixels, train_labels=labels, test=pixels[:20], test_labels=labels[:20])


@pytest.fixture(autouse=True)
def eager(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing is compiled: that takes longer than these trainings."""
    monkeypatch.setattr(ssa_model, "_compiled_forward", ssa_model._lif_forward)
    monkeypatch.setattr(ssa_model, "_compiled_backward", ssa_model._lif_backward)


class Stop(Exception):
    pass


def trained(images: Images, checkpoint: Path, stop_after: int | None = None, **changes: int) -> dict:
    """State of a tiny spiking network after two epochs in each of two phases."""
    torch.manual_seed(changes.get("seed", 3))
    shape = NetworkShape(
        side=8, channels=1, patch=4, stride=4, width=changes.get("width", 8), heads=2, depth=1, hidden=6
    )
    network = ssa_model.SpikingNetwork(shape, "ssa")
    task = Task(images, CPU, Augmentation(shift=1, flip=True, hole=2), smoothing=0.1)
    task.network, done = network, []

    def measure(steps: int) -> float:
        done.append(steps)
        if len(done) == stop_after:
            raise Stop
        return task.accuracy(network, steps)

    phases = [Phase(name=n, rate=1e-2, steps=2, constant=1, falling=1) for n in ("a", "b")]
    train(
        network, Progress(phases=phases, arguments={"seed": str(changes.get("seed", 3))}),
        images=40, batch=changes.get("batch", 10), loss_of=task.loss, measure=measure,
        folded=lambda: None, checkpoint=checkpoint, every=1, device=CPU,
    )  # fmt: skip
    return network.state_dict()


@pytest.mark.parametrize("stop_after", [1, 2, 3, 4])
def test_interrupted_training_gives_the_same_weights(images: Images, tmp_path: Path, stop_after: int) -> None:
    whole = trained(images, tmp_path / "whole.checkpoint")
    with pytest.raises(Stop):
        trained(images, tmp_path / "cut.checkpoint", stop_after)
    # Whatever happens between is forgotten
    torch.rand(17)
    resumed = trained(images, tmp_path / "cut.checkpoint")
    again = trained(images, tmp_path / "cut.checkpoint")  # ended: nothing left to do
    for name, tensor in whole.items():
        assert torch.equal(resumed[name], tensor), name
        assert torch.equal(again[name], tensor), name


def test_checkpoints_that_do_not_fit(images: Images, tmp_path: Path) -> None:
    path = tmp_path / "net.checkpoint"
    trained(images, path)
    with pytest.raises(InputError, match=f"^{path}: is of a network of another shape$"):
        trained(images, path, width=12)
    with pytest.raises(InputError, match=f"^{path}: is of a training with seed 3, not 4; remove it"):
        trained(images, path, seed=4)
    whole = path.read_bytes()
    for content in (b"", b"plain", whole[:500], whole[:-200]):
        path.write_bytes(content)
        with pytest.raises(InputError, match=rf"^{path}: must be the checkpoint of a training \(.*\)$"):
            trained(images, path)
    torch.save({"network": 1}, path)
    with pytest.raises(InputError, match=f"^{path}: must be the checkpoint of a training"):
        trained(images, path)
    with pytest.raises(InputError, match=r"--batch must be an integer in 1\.\.40, not 41"):
        trained(images, tmp_path / "new.checkpoint", batch=41)


def run(main: Callable[[], None], monkeypatch: pytest.MonkeyPatch, *words: object) -> str:
    """What a script with a mistake says on its way out."""
    monkeypatch.setattr(sys, "argv", ["script", *map(str, words)])
    monkeypatch.setattr(sys, "stderr", io.StringIO())
    with pytest.raises(SystemExit) as left:
        main()
    assert left.value.code == 2
    return sys.stderr.getvalue()


def test_mistakes_are_one_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, images: Images) -> None:
    out, text = tmp_path / "out", tmp_path / "text.pt"
    text.write_text("plain")
    said = run(cifar10.main, monkeypatch, "float", "--data", tmp_path, "--out", out)
    assert (
        said == f"error: {tmp_path}/cifar10/cifar10-jpeg.tar.xz: cannot be read (No such file or directory)\n"
    )
    said = run(cifar10.main, monkeypatch, "ssa", "--data", tmp_path, "--out", out, "--epochs", 1, 1)
    assert said == "error: --epochs must be 4 integers, not 2\n"
    monkeypatch.setattr(cifar10, "load_images", lambda name, folder: images)
    words = ("ssa", "--data", tmp_path, "--out", out, "--teacher", text)
    said = run(cifar10.main, monkeypatch, *words)
    assert said == f"error: {text}: must be what `training.cifar10 teacher` wrote\n"
    torch.save({"weight": torch.zeros(1)}, tmp_path / "other.pt")
    said = run(cifar10.main, monkeypatch, *words[:-1], tmp_path / "other.pt")
    assert said == f"error: {tmp_path}/other.pt: must be what `training.cifar10 teacher` wrote\n"
    said = run(cifar10.main, monkeypatch, *words[:-1], tmp_path / "none.pt")
    assert said == f"error: {tmp_path}/none.pt: cannot be read (No such file or directory)\n"
    said = run(cifar10.main, monkeypatch, "float", "--data", tmp_path, "--reads", 5)
    assert said == "error: --reads is for networks that spike, not for float\n"
    said = run(cifar10.main, monkeypatch, "teacher", "--data", tmp_path, "--teacher", text)
    assert said == "error: --teacher is for the networks that it teaches, not for teacher\n"
    said = run(cifar10.main, monkeypatch, "teacher", "--data", tmp_path, "--shape", "cifar10")
    assert said == "error: --shape is for the networks that it teaches, not for teacher\n"
    said = run(cifar10.main, monkeypatch, "float", "--data", tmp_path, "--wait", 3)
    assert said == "error: --wait is for the file of --teacher, which is absent\n"
    shipped = Path("models/shipped/weights")
    small = shipped / "ssa_cifar10-small.npz"
    words = ("ssa", "--data", tmp_path, "--out", out)
    said = run(cifar10.main, monkeypatch, *words, "--resume", small)
    assert said == f"error: {small}: must be a network of kind ssa of this shape\n"
    said = run(cifar10.main, monkeypatch, "lif", *words[1:], "--shape", "cifar10-small", "--resume", small)
    assert said == f"error: {small}: must be a network of kind lif of this shape\n"
    said = run(
        cifar10.main, monkeypatch, "float", *words[1:], "--resume", shipped / "float_cifar10-small.npz"
    )
    assert said.startswith(f"error: {shipped}/float_cifar10-small.npz: must be a float network of this shape")
    said = run(cifar10.main, monkeypatch, *words, "--teacher", shipped / "float_cifar10-small.npz")
    assert said.startswith(f"error: {shipped}/float_cifar10-small.npz: must be a float network of this shape")
    said = run(cifar10.main, monkeypatch, "teacher", "--data", tmp_path, "--resume", small)
    assert said == "error: --resume is for the networks that it teaches, not for teacher\n"
    said = run(cifar10.main, monkeypatch, *words, "--resume", small, "--steps", 4)
    assert said == "error: --steps is for the first phase, which --resume leaves out\n"
    said = run(cifar10.main, monkeypatch, *words, "--resume", small, "--epochs", 1, 1, 1, 1)
    assert said == "error: --epochs must be 2 integers, not 4\n"
    said = run(ssa_train.main, monkeypatch, "digits", "ssa", "--out", out, "--teacher", text)
    assert said.startswith(f"error: {text}: must be a float network of this shape (")
    assert said.count("\n") == 1
    said = run(
        ssa_train.main, monkeypatch, "digits", "ssa", "--out", out, "--resume", shipped / "lif_digits.npz"
    )
    assert said == f"error: {shipped}/lif_digits.npz: must be a network of kind ssa for digits\n"
    said = run(ssa_train.main, monkeypatch, "digits", "ssa", "--batch", "0")
    assert said.endswith("error: argument --batch: must be a whole number of at least 1, not 0\n")
    assert not out.exists()
