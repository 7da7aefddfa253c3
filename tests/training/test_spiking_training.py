"""The training networks compute what the integer networks do."""

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="training needs torch")

from golden.convolution import Convolution  # noqa: E402
from golden.stochastic.network import NetworkShape, load_network  # noqa: E402
from training.integers import export  # noqa: E402
from training.ssa_model import SpikingNetwork  # noqa: E402

STEM = NetworkShape(
    side=6, channels=2, width=8, heads=2, depth=2, hidden=5, classes=3, patch=2, stride=2, padding=1,
    stem=(
        Convolution(outputs=4, kernel=3, stride=1, padding=1),
        Convolution(outputs=5, kernel=3, stride=2, padding=1),
    ),
)  # fmt: skip
PATCHES = NetworkShape(side=6, channels=2, patch=4, stride=2, width=8, heads=2, depth=2, hidden=5, classes=3)


@pytest.mark.parametrize("shape", [STEM, PATCHES], ids=["stem", "patches"])
def test_folded_network_is_the_integer_network(shape, tmp_path, monkeypatch):
    monkeypatch.setattr("training.ssa_model._compiled_forward", None)  # never compiled without gradients
    torch.manual_seed(0)
    network = SpikingNetwork(shape, "lif").eval()
    network.fold()
    with torch.no_grad():
        for parameter in network.parameters():
            parameter.mul_(3).add_(0.05)
    export(network, "lif", tmp_path / "net.npz")
    images = np.random.default_rng(0).integers(0, 256, (7, 6, 6, 2)).astype(np.uint8)
    steps = 5
    with torch.no_grad():
        logits = network(torch.tensor(images) / 256, steps)
    expected = load_network(tmp_path / "net.npz").logits(images, steps)
    # the mean over T and tokens of units of 1/64
    units = logits.double().numpy() * 64 * steps * shape.tokens
    np.testing.assert_array_equal(np.round(units), expected)
    assert len(np.unique(expected)) > 7
