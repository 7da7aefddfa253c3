"""The example of each layout in docs/models.md, on a model that its library saved."""

import re
from pathlib import Path

import numpy as np
import pytest

from models.layouts import LAYOUTS
from onespike.cli import main
from tests.test_documents import ROOT

FOLDERS = Path(__file__).parent / "reference" / "folders"
# Saved as the example says, with the axes of its inputs
SAVED = {
    "bert": ("sentence_bert", 0),
    "hf-vit": ("vit_classifier", 4),
    "vit": ("timm_vit", 4),
    "torchvision-vit": ("torchvision_vit", 4),
    "torch-encoder, alone": ("torch_plain", 3),
    "torch-encoder in a module of yours": ("torch_module_mean", 3),
}
# Heads of the saved models, and names in the module
RENAMED = {"4": "2", "embedding": "embed", "positions": "where", "head": "classify"}
SECTION = (ROOT / "docs" / "models.md").read_text().partition("## An example of each layout")[2]
EXAMPLES = dict(
    re.findall(r"^ {4}# (.*?): .*\n(?: {4}# .*\n)+ {4}onespike (.*)$", SECTION.partition("\n## ")[0], re.M)
)


def test_every_layout_has_one() -> None:
    named = {name for head in EXAMPLES for name in head.replace(" in", ",").split(", ")}
    assert set(LAYOUTS) <= named


@pytest.mark.parametrize("head", EXAMPLES)
def test_converts(head: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    name, axes = next(saved for layout, saved in SAVED.items() if head.startswith(layout))
    monkeypatch.chdir(tmp_path)
    if axes:
        shape = np.load(FOLDERS / f"{name}.npz")["inputs"].shape
        assert len(shape) == axes
        np.savez("samples.npz", inputs=np.random.default_rng(1).normal(size=(6, *shape[1:])).astype("f4"))
    else:
        words = ["some", "words", "of", "a", "text"]
        Path("sentences.txt").write_text("".join(f"{' '.join(words[:n])}\n" for n in range(2, 6)))
    _, model, *options = (RENAMED.get(word, word) for word in EXAMPLES[head].split())
    kept = FOLDERS / name
    place = next(kept.glob("model.*")) if model.endswith(".pt") else kept
    assert main(["convert", str(place), *options, "--steps", "40", "--log2-base", "1/5"]) == 0
    assert Path("build/mine/network.npz").exists()
