import json

import numpy as np

from golden.stochastic.network import SHAPES, load_network
from sim.stochastic import accuracy, demo
from sim.stochastic.datasets import load_images
from sim.stochastic.inference import classify


def test_shipped_digits_network():
    network = load_network(demo.WEIGHTS)
    assert (network.shape, network.kind) == (SHAPES["digits"], "ssa")
    assert demo.WEIGHTS.stat().st_size < 1_000_000
    data = load_images("digits")
    hits = (classify(network, data.test, 10) == data.test_labels).sum()
    # Spike-exact for seed 1: a change of one spike anywhere may change this number
    assert hits == 354


def test_attention_in_rtl(monkeypatch, capsys):
    monkeypatch.setattr("sys.argv", ["demo", "--images", "4", "--steps", "3"])
    assert demo.main() == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == "4 digits, 2 blocks of 4 heads, N=9 d=16 T=3 seed=1"
    assert lines[1] == f"spikes: {2 * 3 * 16 * (9 * 9 + 9 * 16)} compared with the golden model, 0 differ"


def test_accuracy_command(monkeypatch, tmp_path, capsys):
    arguments = ["accuracy", str(demo.WEIGHTS), "--images", "20", "--steps", "1", "10", "--seeds", "2"]
    arguments += ["--float", "98", "--json", str(tmp_path / "a.json"), "--plot", str(tmp_path / "a.png")]
    monkeypatch.setattr("sys.argv", arguments)
    accuracy.main()
    report = json.loads((tmp_path / "a.json").read_text())
    assert (report["images"], report["float"]) == (20, 98)
    assert np.mean(report["accuracy"]["ssa"]["10"]) >= 90
    assert len(capsys.readouterr().out.splitlines()) == 2
    assert (tmp_path / "a.png").stat().st_size > 5000
