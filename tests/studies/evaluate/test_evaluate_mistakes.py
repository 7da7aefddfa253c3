"""What `onespike convert` and `onespike evaluate` refuse: one line, and nothing is written."""

import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import load_file, save_file

from tests.studies.evaluate.refusal import mistake

Flags = Callable[[str], list[str]]
REFERENCE = Path(__file__).parents[2] / "models" / "reference"


def test_mistakes_of_evaluate(
    converted: Path, images: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    empty, text = tmp_path / "empty.npz", tmp_path / "text.npz"
    np.savez(empty, inputs=np.zeros((0, 3, 16, 16), np.float32), labels=np.zeros(0, int))
    np.savez(text, inputs=np.zeros((2, 3, 16, 16), np.float32), labels=np.array(["cat", "dog"]))
    assert "inputs must not be empty" in mistake(capsys, "evaluate", converted, empty)
    assert "labels must be 2 integers" in mistake(capsys, "evaluate", converted, text)
    strange = tmp_path / "strange.npz"
    np.savez(strange, inputs=np.zeros((2, 3, 16, 16), np.float32), labels=np.array([0, 30]))
    assert "labels must be in 0..4, the model's classes, not 30" in mistake(
        capsys, "evaluate", converted, strange
    )
    absent = mistake(capsys, "evaluate", converted, tmp_path / "absent.npz")
    assert "absent.npz: cannot be read (No such file" in absent
    small = tmp_path / "small.npz"
    np.savez(small, inputs=np.zeros((2, 3, 8, 8), np.float32), labels=np.zeros(2, int))
    assert "images must be 16 x 16 pixels, not 8 x 8" in mistake(capsys, "evaluate", converted, small)
    assert "--modes must be taken from" in mistake(capsys, "evaluate", converted, images, "--modes", "x")
    assert "--modes norm needs a model converted with --parts norm" in mistake(
        capsys, "evaluate", converted, images, "--modes", "norm"
    )
    assert "holds no conversion.json" in mistake(capsys, "evaluate", tmp_path, images)


def test_samples_that_say_more_or_nothing_are_refused(
    flags: Flags, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    images, samples = np.random.default_rng(0).normal(size=(3, 3, 16, 16)), tmp_path / "samples.npz"
    start = ("convert", REFERENCE / "vit.safetensors", "-o", tmp_path / "out", "--samples", samples)
    np.savez(samples, inputs=images, mask=np.zeros((3, 7), bool))
    assert "must hold inputs and, if any, labels; mask is not followed" in mistake(
        capsys, *start, *flags("vit")
    )
    np.savez(samples, inputs=np.ones((2, 3, 16, 16)) * [[[[1.0]]], [[[2.0]]]])
    assert "calibration samples must not all be constant" in mistake(capsys, *start, *flags("vit"))
    tensors = load_file(REFERENCE / "vit.safetensors")
    for name in ("weight", "bias"):
        tensors[f"blocks.0.attn.qkv.{name}"][:] = 0
    save_file(tensors, tmp_path / "dead.safetensors")
    np.savez(samples, inputs=images)
    dead = ("convert", tmp_path / "dead.safetensors", *start[2:], *flags("vit"))
    assert "calibration leaves node block0.projection at zero" in mistake(capsys, *dead)
    assert not (tmp_path / "out").exists()


def test_a_changed_folder_is_refused(
    converted: Path, images: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path / "copy"
    shutil.copytree(converted, folder)
    with (folder / "integers.npz").open("r+b") as file:
        file.seek(100)
        file.write(b"\0\0\0\0")
    assert "changed since it was converted" in mistake(capsys, "evaluate", folder, images)
    (folder / "conversion.json").write_text("{")
    assert "damaged description" in mistake(capsys, "evaluate", folder, images)


def test_mistakes_of_convert_leave_nothing(
    images: Path, flags: Flags, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    target = tmp_path / "out"
    model = REFERENCE / "vit.safetensors"
    start = ("convert", model, "-o", target, "--samples", images)
    assert "give --architecture, or --heads, --epsilon, --activation, --pooling" in mistake(capsys, *start)
    assert "--count must be an integer in" in mistake(capsys, *start, *flags("vit"), "--count", 0)
    assert "log2-base" in mistake(capsys, *start, *flags("vit"), "--log2-base", "1/0")
    tokens = ("convert", REFERENCE / "bert.safetensors", "-o", target, "--samples", tmp_path / "s.csv")
    (tmp_path / "s.csv").write_text("one,two,high\n")
    assert "score in row 1 must be a number, not 'high'" in mistake(capsys, *tokens, *flags("bert"))
    assert not target.exists()
    assert [path.name for path in tmp_path.iterdir()] == ["s.csv"]
