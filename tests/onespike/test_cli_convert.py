"""What `onespike convert` says: of the errors of a network, and of files of the wrong kind."""

import json
import re
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from models.conversion.store import load
from onespike.cli import main

REFERENCE = Path(__file__).parents[1] / "models" / "reference"
FLAGS = {
    "vit": ("--heads", "2", "--activation", "gelu", "--epsilon", "1e-6", "--pooling", "cls"),
    "bert": ("--heads", "2", "--architecture", "bert"),
}


def test_a_network_says_what_its_errors_are_made_of(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """In the table, in lines below it that the folder keeps, and as a picture; 80 columns cut no name."""
    monkeypatch.setenv("COLUMNS", "80")
    np.savez(folder / "x.npz", inputs=np.random.default_rng(0).normal(size=(4, 3, 16, 16)).astype(np.float32))
    words = ("convert", str(REFERENCE / "vit.safetensors"), "-o", "out", "--samples", "x.npz", *FLAGS["vit"])
    assert main(list(words)) == 0
    shown = capsys.readouterr().out
    assert re.search(r" in +own +\n.* place +code ", shown)
    stored = load(folder / "out")
    for verdict in stored.conversion.verdicts:
        line = next(line for line in shown.splitlines() if f"  {verdict.node} " in line)
        assert verdict.error is None or f"{verdict.error:.4f}" in line
    advice = stored.conversion.advice
    assert "\n".join(advice) in shown
    assert any(line.startswith("rounding to B = 2^(1/2): ") for line in advice)
    assert advice == json.loads((folder / "out" / "conversion.json").read_text())["advice"]
    assert (folder / "out" / "errors.png").read_bytes().startswith(b"\x89PNG")


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
