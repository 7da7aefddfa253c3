"""The shipped Fashion-MNIST networks, where the images are at hand."""

import os
from pathlib import Path

import pytest

from golden.stochastic.inference import classify
from golden.stochastic.network import SHAPES, load_network
from studies.data.datasets import load_images

ROOT = Path(__file__).parents[3]
DATA = Path(os.environ.get("ONESPIKE_DATA", ROOT.parent / "shared" / "data"))
IMAGES = 1000


@pytest.mark.skipif(
    not (DATA / "fashion-mnist").is_dir(), reason="needs fashion-mnist/ in the folder ONESPIKE_DATA"
)
# Spike-exact for seed 1: a change of one spike anywhere may change these numbers
@pytest.mark.parametrize(("kind", "right"), [("ssa", 911), ("lif", 901)])
def test_shipped_network(kind: str, right: int) -> None:
    path = ROOT / "models" / "shipped" / "weights" / f"{kind}_fashion-mnist.npz"
    assert path.stat().st_size < 1_000_000
    network = load_network(path)
    assert (network.shape, network.kind) == (SHAPES["fashion-mnist"], kind)
    data = load_images("fashion-mnist", DATA)
    classes = classify(network, data.test[:IMAGES], 10)
    assert (classes == data.test_labels[:IMAGES]).sum() == right
