"""What `onespike convert` says of files of the wrong kind."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

REFERENCE = Path(__file__).parents[1] / "models" / "reference"
FLAGS = {
    "vit": ("--heads", "2", "--activation", "gelu", "--epsilon", "1e-6", "--pooling", "cls"),
    "bert": ("--heads", "2", "--architecture", "bert"),
}


@pytest.mark.parametrize(
    ("model", "message"),
    [
        ("vit", "it is a single .npy array"),
        ("bert", "must be sentences: UTF-8 text, one a line, or a .csv or .tsv of pairs; it is no text"),
    ],
)
def test_samples_of_another_kind(folder: Path, refused: Callable[..., str], model: str, message: str) -> None:
    np.save(folder / "x.npy", np.zeros((2, 3, 16, 16), np.float32))
    words = ("convert", str(REFERENCE / f"{model}.safetensors"), "-o", "out", *FLAGS[model])
    refused(*words, "--samples", "x.npy", says=f"x.npy: .*{message}")
