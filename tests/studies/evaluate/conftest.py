"""A small converted classifier on disk."""

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

REFERENCE = Path(__file__).parents[3] / "tests" / "models" / "reference"


@pytest.fixture(scope="session")
def flags() -> Callable[[str], list[str]]:
    """What the reference model of a layout does not say, as options of `onespike convert`."""
    return option_words


def option_words(layout: str) -> list[str]:
    words = []
    for name, value in json.loads((REFERENCE / f"{layout}.json").read_text()).items():
        if name == "norm_first":
            words.append("--norm-first" if value else "--norm-last")
        else:
            words += [f"--{name}", str(value)]
    return words


@pytest.fixture(scope="session")
def images(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Twenty random images and the classes that the float model gives them, two of them wrong."""

    from models.files.tensors import read_tensors
    from models.floating.engine import FloatEngine
    from models.layouts import Options, read_model

    inputs = np.random.default_rng(0).normal(size=(20, 3, 16, 16)).astype(np.float32)
    options = Options(**json.loads((REFERENCE / "vit.json").read_text()))
    _, model = read_model(read_tensors(REFERENCE / "vit.safetensors"), options)
    labels = model.run(inputs, FloatEngine()).argmax(axis=-1)
    labels[-2:] = (labels[-2:] + 1) % 5
    path = tmp_path_factory.mktemp("data") / "images.npz"
    np.savez(path, inputs=inputs, labels=labels)
    return path


@pytest.fixture(scope="session")
def converted(tmp_path_factory: pytest.TempPathFactory, images: Path) -> Path:
    """The reference vision transformer, converted by the command line on four of the images."""
    from onespike.cli import main

    folder = tmp_path_factory.mktemp("converted") / "vit"
    model = str(REFERENCE / "vit.safetensors")
    arguments = ["convert", model, "-o", str(folder), "--samples", str(images), "--count", "4"]
    code = ["--steps", "24", "--log2-base", "2/7", "--parts", "linear"]
    assert main([*arguments, *option_words("vit"), *code]) == 0
    return folder
