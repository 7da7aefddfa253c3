"""Models of users' kinds, trained for a moment: what their libraries save is read and computes the same."""

import sys
from pathlib import Path
from runpy import run_path
from typing import Any

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="training needs torch")
pytest.importorskip("timm", reason="these models are timm's")

from models.files.tensors import read_tensors  # noqa: E402
from models.floating.engine import FloatEngine  # noqa: E402
from models.layouts import Options, read_model  # noqa: E402
from studies.data.datasets import Images  # noqa: E402
from studies.data.tables import read_inputs, read_labelled  # noqa: E402
from training import swin_fashion  # noqa: E402

EXAMPLES = Path(__file__).parents[2] / "training" / "examples"
ENCODER: dict[str, Any] = {
    **{"heads": 4, "activation": "relu", "epsilon": 1e-5, "mask": "none", "pooling": "mean"},
    **{"embedding": "embedding", "positions": "positions", "head": "head"},
}
SCRIPTS = {
    "digits_encoder": ([], Options(norm_first=False, **ENCODER)),
    "digits_encoder, norms first": (["--norm-first"], Options(norm_first=True, **ENCODER)),
    "digits_vit": ([], Options()),
}


@pytest.mark.parametrize("what", SCRIPTS)
def test_examples(
    what: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The score in floats is the one that the script printed."""
    words, options = SCRIPTS[what]
    folder = tmp_path / "model"
    monkeypatch.setattr(sys, "argv", ["script", str(folder), "--epochs", "2", *words])
    run_path(str(EXAMPLES / f"{what.partition(',')[0]}.py"), run_name="__main__")
    _, model = read_model(read_tensors(folder), options)
    test = read_labelled(folder / "data" / "test.npz")
    right = (model.run(test.inputs, FloatEngine()).argmax(axis=1) == test.labels).mean()
    assert capsys.readouterr().out.splitlines()[-1] == f"{100 * right:.2f} % of 450 test images"
    assert len(read_inputs(folder / "data" / "samples.npz")) == 300


def test_swin(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """A training that goes on from its checkpoint, and the folder that it leaves."""
    rng = np.random.default_rng(0)
    pixels, labels = rng.integers(0, 256, (60, 28, 28, 1)).astype(np.uint8), rng.integers(0, 10, 60)
    images = Images(train=pixels, train_labels=labels, test=pixels, test_labels=labels)
    monkeypatch.setattr(swin_fashion, "load_images", lambda name, folder: images)
    words = ["--data", str(tmp_path), "--out", str(tmp_path / "swin"), "--epochs", "2", "--batch", "20"]
    monkeypatch.setattr(sys, "argv", ["script", *words])
    for _ in range(2):  # the second time, nothing is left to do
        swin_fashion.main()
    said = [line for line in capsys.readouterr().out.splitlines() if "% of the test images" in line]
    layout, model = read_model(read_tensors(tmp_path / "swin"), Options())
    padded = np.pad(pixels[..., 0] / np.float32(256), ((0, 0), (2, 2), (2, 2)))[:, None]
    right = (model.run(padded, FloatEngine()).argmax(axis=1) == labels).mean()
    assert layout == "swin"
    assert said == 2 * [f"{tmp_path / 'swin'}: {100 * right:.2f} % of the test images"]
