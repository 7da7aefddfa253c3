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


def test_reads_are_those_of_the_spikes(tmp_path, monkeypatch):
    monkeypatch.setattr("training.ssa_model._compiled_forward", None)  # never compiled without gradients
    shape = NetworkShape(
        side=6, channels=2, patch=4, stride=2, width=64, heads=2, depth=2, hidden=70, classes=3
    )
    torch.manual_seed(0)
    network = SpikingNetwork(shape, "lif").eval()
    network.fold()
    with torch.no_grad():
        for parameter in network.parameters():
            parameter.mul_(3).add_(0.01)
    network.count()
    export(network, "lif", tmp_path / "net.npz")
    images = np.random.default_rng(0).integers(0, 256, (7, 6, 6, 2)).astype(np.uint8)
    steps, trains = 5, {}
    load_network(tmp_path / "net.npz").logits(images, steps, observe=trains.__setitem__)
    with torch.no_grad():
        network(torch.tensor(images) / 256, steps)
    # Passes of 32 lanes: queries, keys and values 6, behind attention and behind the hidden neurons 2, up 3
    passes = {"embed": 6, "block0_down": 6}
    passes |= {f"block{n}_{name}": p for n in range(2) for name, p in (("attention", 2), ("o", 3), ("up", 2))}
    expected = sum(passes.get(name, 0) * int(train.sum()) for name, train in trains.items())
    assert expected > 0
    assert float(network.reads()) * len(images) * steps == pytest.approx(expected, rel=1e-6)


def test_rows_by_index_read_a_spike_several_times():
    network = SpikingNetwork(STEM, "ssa")
    network.count()
    layer = network.stem[1]
    layer(torch.ones(3, 4, 6, 6, 4))
    # 3x3 over 6x6 in steps of two: every one of 36 x 4 inputs is in 9/4 rows, but for the edges
    assert float(layer.reads) == 36 * 4 * 9 / 4
