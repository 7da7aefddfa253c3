"""What `onespike convert` says of files of the wrong kind."""

import pickle
import sys
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

REFERENCE = Path(__file__).parents[1] / "models" / "reference"
# What torch 2.6 says of a file with a whole module, the first and the last words of it
TORCH_SAYS = (
    "Weights only load failed. This file can still be loaded, to do so you have two options.\n"
    "\tWeightsUnpickler error: Unsupported global: GLOBAL torch.nn.modules.linear.Linear was not an "
    "allowed global by default. Please use `torch.serialization.add_safe_globals([Linear])`"
)


@pytest.mark.parametrize(
    ("model", "message"),
    [
        ("vit", "it is a single .npy array"),
        ("bert", "must be sentences: UTF-8 text, one a line, or a .csv or .tsv of pairs; it is no text"),
    ],
)
def test_samples_of_another_kind(folder: Path, refused: Callable[..., str], model: str, message: str) -> None:
    np.save(folder / "x.npy", np.zeros((2, 3, 16, 16), np.float32))
    words = ("convert", str(REFERENCE / f"{model}.safetensors"), "-o", "out", "--heads", "2")
    refused(*words, "--samples", "x.npy", says=f"x.npy: .*{message}")


def test_whole_module(folder: Path, refused: Callable[..., str], monkeypatch: pytest.MonkeyPatch) -> None:
    """torch is not among the test tools; its words are all that is needed of it."""

    def load(*_: object, **__: object) -> None:
        raise pickle.UnpicklingError(TORCH_SAYS)

    monkeypatch.setitem(sys.modules, "torch", SimpleNamespace(load=load))
    (folder / "m.pt").write_bytes(b"")
    says = "m.pt: must be a state dict, not a pickled torch.nn.modules.linear.Linear; torch.save"
    refused("convert", "m.pt", "-o", "out", "--samples", "x.npz", says=says)
